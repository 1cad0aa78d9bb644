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
  /** Name in messages, such as `PostgreSQL primary`. */
  readonly name: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly binaries: PostgresBinaries;
  readonly user: ServerUser;
  readonly guardian: Guardian;
  readonly port: PortChoice;
  /** Settings in addition to the common ones. */
  readonly settings: Settings;
  readonly onUnexpectedExit?: (exit: ProcessExit) => void;
}

export interface PortChoice {
  /** The only port to use: a failure when it is taken. */
  readonly required?: number;
  /** A port to use when it is free. */
  readonly preferred?: number;
}

export type Settings = Readonly<Record<string, string | number>>;

export interface RunningServer {
  readonly process: SupervisedProcess;
  readonly port: number;
}

/** Recovery after a crash replays WAL since the last checkpoint: seconds, even on a slow disk. */
const READY_TIMEOUT_MILLISECONDS = 60_000;
/**
 * A fast shutdown writes one checkpoint. PostgreSQL can miss the request while it recovers from a crash; the immediate shutdown that follows
 * loses
 * nothing either.
 */
const STOP_TIMEOUT_MILLISECONDS = 5_000;
/** Another program may take a free port before PostgreSQL does. */
const PORT_ATTEMPTS = 5;

/**
 * Keeps values of rows and parameters out of the log, as on AWS (`lib/constructs/database/postgres-cluster.ts`). Errors are left out, because
 * those of
 * SQLSTATE class 22 quote values in the message, and programs log them without: `log` is above ERROR, below FATAL.
 */
export const LOG_WITHOUT_VALUES = {
  log_parameter_max_length: 0,
  log_parameter_max_length_on_error: 0,
  // No DETAIL, which quotes rows and keys, and no CONTEXT.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_min_messages: 'log',
} as const satisfies Settings;

/** Settings of both servers. A replica must allow at least as much as its primary. */
const COMMON_SETTINGS: Settings = {
  listen_addresses: '127.0.0.1',
  // TCP only: a socket's path is limited to about 100 characters, which a checkout's may exceed.
  unix_socket_directories: '',
  // Test files run in parallel and pools are generous; processes start on demand.
  max_connections: 300,
  wal_level: 'replica',
  hot_standby: 'on',
  // A long read on the replica delays the primary's vacuum instead of being cancelled by it.
  hot_standby_feedback: 'on',
  // Bounds the disk that an absent replica can fill; it is rebuilt when it needs more.
  max_slot_wal_keep_size: '1GB',
  // With the default, a replica that started before its primary waits 5 s.
  wal_retrieve_retry_interval: '100ms',
  log_timezone: 'UTC',
  timezone: 'UTC',
  // Known failures are found by message.
  lc_messages: 'C',
  ...LOG_WITHOUT_VALUES,
};

/** For disposable data: several times as many commits a second. */
export const NOT_DURABLE: Settings = {
  fsync: 'off',
  full_page_writes: 'off',
  // `synchronous_commit` stays on: without fsync it costs nothing, and off, the replica lags by up to 200 ms.
};

/**
 * Starts one server and waits until it accepts connections.
 *
 * @throws {LocalFailure}; nothing is left running then.
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

/** Another program took the port between the check and the start. */
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
 * The last line of postmaster.pid, which `pg_ctl` also reads (src/include/utils/pidfile.h in PostgreSQL's source): `ready` when connections
 * are accepted.
 */
function readServerState(dataDirectory: string, processId: number): string | undefined {
  try {
    const lines = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
    // A file of the previous run may still exist.
    return lines[0] === String(processId) ? lines[7]?.trim() : undefined;
  } catch {
    return undefined;
  }
}
