import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import { lockDirectory } from '../process/directory-lock.ts';
import type { Guardian } from '../process/guardian.ts';
import { findFreePort, isPortFree } from '../process/ports.ts';
import { waitUntilReady } from '../process/readiness.ts';
import { type SupervisedProcess, startProcess } from '../process/supervised-process.ts';
import { findRedis, type RedisProgram } from './find-redis.ts';

export interface RedisOptions {
  /** Folder for the log and other files. */
  readonly directory: string;
  /** Ends the server if this process is killed. */
  readonly guardian: Guardian;
  /** A required port; 0 takes any free one. @default 16379, or any free one when that is taken */
  readonly port?: number;
  /** @default the result of `findRedis` */
  readonly program?: RedisProgram | null;
  readonly onProgress?: (message: string) => void;
  /** Called when the server ends by itself after the start. */
  readonly onUnexpectedExit?: (failure: LocalFailure) => void;
}

export interface Redis {
  readonly url: string;
  readonly port: number;
  readonly processId: number;
  /** `redis-server` or `valkey-server`. */
  readonly program: string;
  readonly version: string;
  /** Idempotent. */
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** Not 6379, which a developer's own Redis may use. */
const PREFERRED_PORT = 16_379;
const READY_TIMEOUT_MILLISECONDS = 10_000;
const STOP_TIMEOUT_MILLISECONDS = 2_000;
const PORT_ATTEMPTS = 5;

/**
 * Starts a Redis or Valkey server on loopback, in memory only: all its data may be lost. No password: a user who reaches loopback can read the
 * data
 * folder as well, and each `redis-cli` would need it.
 *
 * @returns null when no server is installed.
 * @throws {LocalFailure} when it is installed and does not start.
 */
export async function startRedis(options: RedisOptions): Promise<Redis | null> {
  const program = options.program === undefined ? findRedis() : options.program;
  if (program === null) return null;
  const directory = resolve(options.directory);
  const lock = lockDirectory(directory);
  try {
    options.onProgress?.(`Starting ${program.program} ${program.version}`);
    const { server, port } = await startOnSomePort(options, program, directory);
    return {
      url: `redis://${LOOPBACK}:${port}`,
      port,
      processId: server.processId,
      program: program.program,
      version: program.version,
      async stop() {
        await server.stop();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function startOnSomePort(
  options: RedisOptions,
  program: RedisProgram,
  directory: string,
): Promise<{ server: SupervisedProcess; port: number }> {
  const required = options.port === 0 ? undefined : options.port;
  if (required !== undefined && !(await isPortFree(required))) throw portTaken(required);
  const preferred = options.port === 0 ? undefined : PREFERRED_PORT;
  for (let attempt = 1; ; attempt += 1) {
    const port = required ?? (await findFreePort(preferred));
    const server = await startServer(options, program, directory, port);
    try {
      await waitUntilReady(server, {
        isReady: () => answersAs(server.processId, port),
        timeoutMilliseconds: READY_TIMEOUT_MILLISECONDS,
        intervalMilliseconds: 5,
      });
      return { server, port };
    } catch (error) {
      await server.stop();
      const portLost = server.lastLogLines(20).some((line) => /already in use/i.test(line));
      if (!portLost) throw error;
      if (required !== undefined) throw portTaken(required);
      if (attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function startServer(
  options: RedisOptions,
  program: RedisProgram,
  directory: string,
  port: number,
): Promise<SupervisedProcess> {
  const logFile = join(directory, 'redis.log');
  const settings: Readonly<Record<string, string>> = {
    bind: LOOPBACK,
    port: String(port),
    'protected-mode': 'yes',
    dir: directory,
    // No persistence: neither snapshots nor an append-only file.
    save: '',
    appendonly: 'no',
    daemonize: 'no',
  };
  return startProcess({
    name: program.program,
    command: program.path,
    arguments: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    workingDirectory: directory,
    logFile,
    guardian: options.guardian,
    stopTimeoutMilliseconds: STOP_TIMEOUT_MILLISECONDS,
    onUnexpectedExit: () =>
      options.onUnexpectedExit?.(
        new LocalFailure(
          `${program.program} ended by itself.`,
          `Read its log in ${logFile}, and start again.`,
        ),
      ),
  });
}

function portTaken(port: number): LocalFailure {
  return new LocalFailure(
    `Port ${port}, asked for Redis, is taken by another program.`,
    'Stop that program, or ask for another port; 0 takes any free one.',
  );
}

/** Whether the server on this port is the process: another one may have taken the port. */
function answersAs(processId: number, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port });
    let response = '';
    const finish = (isIt: boolean) => {
      socket.destroy();
      resolve(isIt);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('connect', () => socket.write('INFO server\r\n'));
    socket.on('data', (data) => {
      response += data.toString();
      const found = /^process_id:(\d+)\r\n/m.exec(response);
      if (found) finish(Number(found[1]) === processId);
    });
  });
}
