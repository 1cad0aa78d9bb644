import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { inject } from 'vitest';
import type { SystemConnections } from './system.ts';

export interface TestDatabase {
  readonly name: string;
  /** The database on the primary, as the application's role, which owns it. */
  readonly writerUrl: string;
  /** The same database on the replica. */
  readonly readerUrl: string;
  /** Ends all connections to the database and drops it. */
  drop(): Promise<void>;
}

/** Role that owns the databases; the one in the URLs. */
const OWNER = 'headroom';
const MIGRATED_TEMPLATE = 'migrated_template';
/** Key of the advisory lock under which the template is made; any number that nothing else here uses. */
const TEMPLATE_LOCK = 4_711_001;
const KEPT_DATABASES = Symbol.for('headroom.test.kept-databases');
const REPLICA_TIMEOUT_MILLISECONDS = 20_000;
const REPLICA_POLL_MILLISECONDS = 5;

/** Makes an empty database for one suite, on the primary, and waits until the replica has it. */
export async function createDatabase(): Promise<TestDatabase> {
  const { primary } = inject('system').postgres;
  return await withConnection(primary.administratorUrl, (administrator) =>
    createFrom(administrator, 'template1'),
  );
}

/** Like `createDatabase`, with the schema of the user API. It is migrated once a test run, and copied for each suite. */
export async function createMigratedDatabase(): Promise<TestDatabase> {
  const kept = keptDatabases();
  const database = kept?.pop() ?? (await copyTemplate());
  return kept === undefined ? database : { ...database, drop: () => keep(database, kept) };
}

async function copyTemplate(): Promise<TestDatabase> {
  const { primary } = inject('system').postgres;
  return await withConnection(primary.administratorUrl, async (administrator) => {
    await ensureMigratedTemplate(administrator);
    return await createFrom(administrator, MIGRATED_TEMPLATE);
  });
}

/** Emptied databases, in mutation testing: to copy one takes longer than most suites, which run there for each mutant. */
function keptDatabases(): TestDatabase[] | undefined {
  if (process.env.KEEP_DATABASES !== 'true') return undefined;
  // Of the thread: modules may be loaded again for each mutant.
  const keptOfThread: typeof globalThis & { [KEPT_DATABASES]?: TestDatabase[] } = globalThis;
  keptOfThread[KEPT_DATABASES] ??= [];
  return keptOfThread[KEPT_DATABASES];
}

async function keep(database: TestDatabase, kept: TestDatabase[]): Promise<void> {
  const { postgres: servers } = inject('system');
  const url = withDatabase(servers.primary.administratorUrl, database.name);
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    const tables = await sql<{ tablename: string }[]>`
      SELECT tablename FROM pg_tables WHERE schemaname = 'public'`;
    // With triggers off, or the last administrator would stay. To truncate takes ten times as long.
    await sql.unsafe(
      [
        'SET session_replication_role = replica',
        ...tables.map(({ tablename }) => `DELETE FROM "${tablename}"`),
        // The next suite counts from 1, as in a new one.
        `SELECT setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences WHERE schemaname = 'public'`,
      ].join(';'),
    );
  } finally {
    await sql.end({ timeout: 1 });
  }
  await waitForReplica(servers);
  kept.push(database);
}

/** Test files run in processes of their own: the first to get the lock migrates, the others wait and find it done. */
async function ensureMigratedTemplate(administrator: postgres.Sql): Promise<void> {
  const session = await administrator.reserve();
  try {
    await session`SELECT pg_advisory_lock(${TEMPLATE_LOCK})`;
    const [found] = await session`SELECT FROM pg_database WHERE datname = ${MIGRATED_TEMPLATE}`;
    if (found) return;
    const unfinished = `${MIGRATED_TEMPLATE}_unfinished`;
    await session`DROP DATABASE IF EXISTS ${session(unfinished)}`;
    await session`CREATE DATABASE ${session(unfinished)} OWNER ${session(OWNER)}`;
    const { migrate } = await import('../../services/user-api/database/migrate.ts');
    await migrate(withDatabase(inject('system').postgres.primary.url, unfinished));
    await session`ALTER DATABASE ${session(unfinished)} RENAME TO ${session(MIGRATED_TEMPLATE)}`;
  } finally {
    await session`SELECT pg_advisory_unlock_all()`;
    session.release();
  }
}

async function createFrom(administrator: postgres.Sql, template: string): Promise<TestDatabase> {
  const { primary, replica } = inject('system').postgres;
  const name = `test_${randomBytes(8).toString('hex')}`;
  await administrator`CREATE DATABASE ${administrator(name)} TEMPLATE ${administrator(template)} OWNER ${administrator(OWNER)}`;
  await waitForReplica(inject('system').postgres);
  return {
    name,
    writerUrl: withDatabase(primary.url, name),
    readerUrl: withDatabase(replica.url, name),
    drop: () =>
      withConnection(primary.administratorUrl, async (sql) => {
        await sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`;
      }),
  };
}

/** Waits until the replica has replayed all that the primary has written by now. */
export async function waitForReplica(servers: SystemConnections['postgres']): Promise<void> {
  const [position] = await withConnection(
    servers.primary.administratorUrl,
    (sql) => sql`SELECT pg_current_wal_flush_lsn()::text AS lsn`,
  );
  await withConnection(servers.replica.administratorUrl, async (sql) => {
    const deadline = performance.now() + REPLICA_TIMEOUT_MILLISECONDS;
    for (;;) {
      const [state] =
        await sql`SELECT pg_last_wal_replay_lsn() >= ${position?.lsn}::pg_lsn AS has_it`;
      if (state?.has_it) return;
      if (performance.now() > deadline)
        throw new Error(`The replica did not reach ${position?.lsn}`);
      await wait(REPLICA_POLL_MILLISECONDS);
    }
  });
}

async function withConnection<Result>(
  url: string,
  action: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const sql = postgres(withDatabase(url, 'postgres'), { max: 1, onnotice: () => {} });
  try {
    return await action(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
