import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import type { Guardian } from '../process/guardian.ts';
import { findFreePort, isPortFree } from '../process/ports.ts';
import { waitUntilReady } from '../process/readiness.ts';
import {
  type ProcessExit,
  type SupervisedProcess,
  startProcess,
} from '../process/supervised-process.ts';
import type { PostgresBinaries } from './binaries.ts';
import { explainServerFailure, isPortTakenError, portTaken } from './failures.ts';
import type { ServerUser } from './server-user.ts';

export interface ServerOptions {
  /** What to call it in messages, such as `PostgreSQL primary`. */
  readonly name: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly binaries: PostgresBinaries;
  readonly user: ServerUser;
  readonly guardian: Guardian;
  readonly port: PortChoice;
  /** Settings by name, on top of those that every server here has. */
  readonly settings: Settings;
  readonly onUnexpectedExit?: (exit: ProcessExit) => void;
}

export interface PortChoice {
  /** The one port to use: a failure when it is taken. */
  readonly required?: number;
  /** A port to use when it is free. */
  readonly preferred?: number;
}

export type Settings = Readonly<Record<string, string | number>>;

export interface RunningServer {
  readonly process: SupervisedProcess;
  readonly port: number;
}

/** Recovery after a crash replays what was written since the last checkpoint; seconds, even on a slow disk. */
const READY_TIMEOUT_MILLISECONDS = 60_000;
/**
 * A fast shutdown writes one checkpoint. PostgreSQL can miss the request while it restarts after a crash of its own; the
 * immediate one, which comes next, loses nothing either.
 */
const STOP_TIMEOUT_MILLISECONDS = 5_000;
/** Between finding a free port and PostgreSQL's listening on it, somebody else may take it. */
const PORT_ATTEMPTS = 5;

/**
 * Keeps values of rows and parameters out of the log; on AWS the same (`lib/constructs/database/postgres-cluster.ts`). Errors are left out, because
 * those of SQLSTATE class 22 quote values in the message itself, and programs log them without: `log` is above ERROR, below FATAL.
 */
export const LOG_WITHOUT_VALUES = {
  log_parameter_max_length: 0,
  log_parameter_max_length_on_error: 0,
  // No DETAIL, which quotes rows and keys, and no CONTEXT.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_min_messages: 'log',
} as const satisfies Settings;

/** What both servers have in common. A replica must allow at least as much as its primary. */
const COMMON_SETTINGS: Settings = {
  listen_addresses: '127.0.0.1',
  // TCP only: the path of a socket may be no longer than about 100 characters, and the one of a checkout is.
  unix_socket_directories: '',
  // Test files run in parallel and pools are generous; one process for each, made when it is used.
  max_connections: 300,
  wal_level: 'replica',
  hot_standby: 'on',
  // A long read on the replica holds back the primary's clean-up, rather than being cancelled by it.
  hot_standby_feedback: 'on',
  // Bounds what a replica that is gone can fill the disk with; it is rebuilt when it needs more than that.
  max_slot_wal_keep_size: '1GB',
  // The default of 5 s is how long a replica that started before its primary would wait.
  wal_retrieve_retry_interval: '100ms',
  log_timezone: 'UTC',
  timezone: 'UTC',
  // Messages are searched for known failures.
  lc_messages: 'C',
  ...LOG_WITHOUT_VALUES,
};

/** For data that nobody misses: several times as many commits a second. */
export const NOT_DURABLE: Settings = {
  fsync: 'off',
  full_page_writes: 'off',
  // `synchronous_commit` stays on: without fsync it costs nothing, and without it the replica lags by up to 200 ms.
};

/**
 * Starts one server and waits until it answers.
 * @throws {LocalFailure} when it does not; nothing is left running then.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await choosePort(options);
    try {
      return { process: await startOnPort(options, port), port };
    } catch (error) {
      const mayTryAnother = error instanceof PortLost && options.port.required === undefined;
      if (!mayTryAnother || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** The port was free when it was looked at, and taken when PostgreSQL wanted it. */
class PortLost extends LocalFailure {}

async function choosePort({ name, port }: ServerOptions): Promise<number> {
  if (port.required === undefined) return findFreePort(port.preferred);
  if (!(await isPortFree(port.required))) throw portTaken(port.required, name);
  return port.required;
}

async function startOnPort(options: ServerOptions, port: number): Promise<SupervisedProcess> {
  const { name, dataDirectory, logFile } = options;
  const settings = { ...COMMON_SETTINGS, ...options.settings, port };
  const server = await startProcess({
    name,
    ...options.user.command(options.binaries.postgres, [
      '-D',
      dataDirectory,
      ...Object.entries(settings).flatMap(([setting, value]) => ['-c', `${setting}=${value}`]),
    ]),
    logFile,
    guardian: options.guardian,
    // Fast shutdown, then the immediate one (https://www.postgresql.org/docs/18/server-shutdown.html).
    stopSignals: ['SIGINT', 'SIGQUIT'],
    stopTimeoutMilliseconds: STOP_TIMEOUT_MILLISECONDS,
    ...(options.onUnexpectedExit && { onUnexpectedExit: options.onUnexpectedExit }),
  });
  try {
    await waitUntilReady(server, {
      isReady: () => readServerState(dataDirectory, server.processId) === 'ready',
      timeoutMilliseconds: READY_TIMEOUT_MILLISECONDS,
      explain: (problem, logLines) => {
        if (isPortTakenError(logLines)) {
          const { message, remedy } = portTaken(port, name);
          return new PortLost(message, remedy);
        }
        return explainServerFailure(problem, { dataDirectory, logFile, logLines });
      },
    });
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * The last line of postmaster.pid, which `pg_ctl` waits for, too: `ready` when connections are accepted.
 * (src/include/utils/pidfile.h in PostgreSQL's source.)
 */
function readServerState(dataDirectory: string, processId: number): string | undefined {
  try {
    const lines = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
    // A file of the run before may still lie there.
    return lines[0] === String(processId) ? lines[7]?.trim() : undefined;
  } catch {
    return undefined;
  }
}
