import { existsSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type postgres from 'postgres';
import { LocalFailure } from '../local-failure.ts';
import { explainFileError } from '../process/directory.ts';
import { copyTree } from './copy-tree.ts';
import { REPLICATOR } from './credentials.ts';
import { makeEmptyDirectory } from './data-directory.ts';
import { type RunningServer, type ServerOptions, startServer } from './server.ts';
import type { ServerUser } from './server-user.ts';

export interface ReplicaOptions extends ServerOptions {
  readonly primaryDataDirectory: string;
  readonly primaryPort: number;
  /** Connection to the primary as superuser. */
  readonly primary: postgres.Sql;
  readonly replicatorPassword: string;
  /** Connects to the replica as superuser. */
  readonly connect: (port: number) => postgres.Sql;
  readonly onProgress: (message: string) => void;
}

/** Replication slot on the primary: it keeps WAL that the replica has not yet read. */
const SLOT = 'replica';
/** Longest without progress in catching up, in milliseconds, before the replica is rebuilt. */
const CATCH_UP_TIMEOUT_MILLISECONDS = 10_000;
const CATCH_UP_POLL_MILLISECONDS = 10;

/** What a copy of the primary must not contain (https://www.postgresql.org/docs/18/continuous-archiving.html). */
const NOT_COPIED = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'pg_wal',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);
const EMPTY_IN_COPY = [
  'pg_wal',
  'pg_wal/archive_status',
  'pg_wal/summaries',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
];

/**
 * Starts the replica and waits until it has caught up. Rebuilds it from the primary when it is missing, damaged, promoted, or needs WAL that
 * the primary
 * no longer keeps.
 *
 * @throws {LocalFailure} when a rebuilt one does not work either.
 */
export async function startReplica(options: ReplicaOptions): Promise<RunningServer> {
  const { onProgress } = options;
  if (existsSync(options.dataDirectory)) {
    try {
      await requireSlot(options.primary);
      return await startAndCatchUp(options);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      onProgress(`Making the PostgreSQL replica again: ${why.split('\n')[0]}`);
    }
  } else {
    onProgress('Making the PostgreSQL replica');
  }
  await cloneFromPrimary(options);
  return await startAndCatchUp(options);
}

async function requireSlot(primary: postgres.Sql): Promise<void> {
  const [slot] =
    await primary`SELECT wal_status FROM pg_replication_slots WHERE slot_name = ${SLOT}`;
  if (!slot) throw new LocalFailure('the primary has no replication slot for it', '');
  if (slot.wal_status === 'lost') throw new LocalFailure('it is too far behind the primary', '');
}

/** The copy is renamed when complete, so that an interruption leaves no partial data. */
async function cloneFromPrimary(options: ReplicaOptions): Promise<void> {
  const { primary, user } = options;
  const unfinished = `${options.dataDirectory}.unfinished`;
  makeEmptyDirectory(unfinished, user);
  await primary`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${SLOT}`;
  await primary`SELECT pg_create_physical_replication_slot(${SLOT}, true)`;

  // The backup ends with its session.
  const session = await primary.reserve();
  try {
    await session`SELECT pg_backup_start('replica', true)`;
    await copyTree(options.primaryDataDirectory, unfinished, {
      leaveOut: NOT_COPIED,
      onMade: (path) => user.own(path),
    });
    for (const folder of EMPTY_IN_COPY) {
      await mkdir(join(unfinished, folder), { mode: 0o700 });
      user.own(join(unfinished, folder));
    }
    const [backup] = await session`SELECT labelfile FROM pg_backup_stop(false)`;
    writeOwned(user, join(unfinished, 'backup_label'), backup?.labelfile);
    writeOwned(user, join(unfinished, 'standby.signal'), '');
    await rm(options.dataDirectory, { recursive: true, force: true });
    await rename(unfinished, options.dataDirectory);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw explainFileError(error, 'copy the primary to', unfinished);
  } finally {
    session.release();
  }
}

/** Whether a system call failed; an error of the connection to the primary is none. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

async function startAndCatchUp(options: ReplicaOptions): Promise<RunningServer> {
  const server = await startServer({
    ...options,
    settings: {
      ...options.settings,
      primary_conninfo: connectionToPrimary(options),
      primary_slot_name: SLOT,
    },
  });
  try {
    await catchUp(options, server);
    return server;
  } catch (error) {
    await server.process.stop();
    throw error;
  }
}

/** Waits until the replica streams and has replayed all that the primary had at the call. */
async function catchUp(options: ReplicaOptions, server: RunningServer): Promise<void> {
  const replica = options.connect(server.port);
  try {
    const [position] = await options.primary`SELECT pg_current_wal_lsn()::text AS lsn`;
    let nearest = Number.POSITIVE_INFINITY;
    let deadline = performance.now() + CATCH_UP_TIMEOUT_MILLISECONDS;
    for (;;) {
      const [state] = await replica`
        SELECT pg_is_in_recovery() AS is_replica,
          (SELECT status FROM pg_stat_wal_receiver) AS receiver,
          pg_wal_lsn_diff(${position?.lsn}, pg_last_wal_replay_lsn())::float8 AS behind_bytes`;
      if (!state?.is_replica)
        throw new LocalFailure('it was promoted and is no longer a replica', '');
      const behind = state.behind_bytes ?? Number.POSITIVE_INFINITY;
      if (state.receiver === 'streaming' && behind <= 0) return;
      if (behind < nearest) {
        nearest = behind;
        deadline = performance.now() + CATCH_UP_TIMEOUT_MILLISECONDS;
      }
      if (performance.now() > deadline || server.process.exit()) {
        throw new LocalFailure(
          `it does not follow the primary (${server.process.lastLogLines(1)[0] ?? 'no message'})`,
          `Read its log in ${options.logFile}; \`npm run reset\` wipes the local data.`,
        );
      }
      await requireSlot(options.primary);
      await wait(CATCH_UP_POLL_MILLISECONDS);
    }
  } finally {
    await replica.end({ timeout: 1 });
  }
}

/** The password is in a file, because every user of the machine can read settings in the process list. */
function connectionToPrimary(options: ReplicaOptions): string {
  const passwordFile = join(options.dataDirectory, 'primary.pgpass');
  writeOwned(
    options.user,
    passwordFile,
    `127.0.0.1:*:*:${REPLICATOR}:${options.replicatorPassword}\n`,
  );
  const parts = {
    host: '127.0.0.1',
    port: options.primaryPort,
    user: REPLICATOR,
    passfile: passwordFile,
    application_name: SLOT,
    sslmode: 'disable',
    gssencmode: 'disable',
  };
  return Object.entries(parts)
    .map(([name, value]) => `${name}='${String(value).replace(/[\\']/g, '\\$&')}'`)
    .join(' ');
}

function writeOwned(user: ServerUser, path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (error) {
    throw explainFileError(error, 'write', path);
  }
  user.own(path);
}
