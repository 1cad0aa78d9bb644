import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, renameSync } from 'node:fs';
import { LocalFailure } from '../local-failure.ts';
import { explainFileError } from './directory.ts';
import type { Guardian } from './guardian.ts';
import { endGroup, isErrorWithCode } from './process-life.ts';
import { systemEnvironment } from './program-environment.ts';

/** Bytes of a log's end that are read for its last lines. */
const READ_BYTES = 64 * 1_024;

/** The last lines of a file; none when it cannot be read. */
function lastLines(file: string, count: number): string[] {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const { size } = fstatSync(descriptor);
    const part = Buffer.alloc(Math.min(size, READ_BYTES));
    readSync(descriptor, part, 0, part.length, size - part.length);
    const text = part.toString('utf8').trimEnd();
    return text === '' ? [] : text.split('\n').slice(-count);
  } catch {
    return [];
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

export interface ProcessOptions {
  /** Name in messages, such as `PostgreSQL primary`. */
  readonly name: string;
  /** A path, or a name on the PATH. */
  readonly command: string;
  readonly arguments?: readonly string[];
  /** The whole environment of the process. @default {@link systemEnvironment} */
  readonly environment?: NodeJS.ProcessEnv;
  /** @default that of this process */
  readonly workingDirectory?: string;
  /** Receives standard output and error; the previous run's is kept beside it as `<logFile>.previous`. */
  readonly logFile: string;
  /** Ends the process if this one is killed. */
  readonly guardian: Guardian;
  /** @default ['SIGTERM'] */
  readonly stopSignals?: readonly NodeJS.Signals[];
  /** Time for each stop signal in milliseconds, then SIGKILL. @default 10000 */
  readonly stopTimeoutMilliseconds?: number;
  /** User and group id; only root can choose. @default those of this process */
  readonly userId?: number;
  readonly groupId?: number;
  /** Called once when the process ends without `stop`. */
  readonly onUnexpectedExit?: (exit: ProcessExit) => void;
}

export interface ProcessExit {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface SupervisedProcess {
  readonly name: string;
  readonly processId: number;
  readonly logFile: string;
  readonly exited: Promise<ProcessExit>;
  /** Null while it runs. */
  exit(): ProcessExit | null;
  lastLogLines(count: number): string[];
  /** Ends the process by its signals and resolves when it has ended. Idempotent. */
  stop(): Promise<ProcessExit>;
}

const DEFAULT_STOP_TIMEOUT_MILLISECONDS = 10_000;

/**
 * Starts a program in a process group of its own, so that Ctrl-C reaches this process only, which keeps the order of the shutdown.
 *
 * @throws {LocalFailure} when the program cannot be started, its log file is not writable, or its guardian is closed.
 */
export async function startProcess(options: ProcessOptions): Promise<SupervisedProcess> {
  const { name, guardian } = options;
  const plan = {
    stopSignals: options.stopSignals ?? ['SIGTERM'],
    stopTimeoutMilliseconds: options.stopTimeoutMilliseconds ?? DEFAULT_STOP_TIMEOUT_MILLISECONDS,
  };
  if (guardian.isClosed) {
    throw new LocalFailure(`${name} was not started: the system is being stopped.`, 'Start again.');
  }
  const child = spawnWithLog(options);
  const processId = child.pid;
  if (processId !== undefined) guardian.guard(processId, plan);

  let ended: ProcessExit | null = null;
  let stopping = false;
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = { code, signal };
      if (processId !== undefined) {
        // Its own leftover processes end with it.
        endGroup(processId);
        guardian.release(processId);
      }
      resolve(ended);
      if (!stopping) options.onUnexpectedExit?.(ended);
    });
  });

  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(explainSpawnError(options, error)));
  });
  if (processId === undefined) throw new Error(`${name} started without a process id`);

  async function stop(): Promise<ProcessExit> {
    stopping = true;
    for (const signal of plan.stopSignals) {
      if (ended) return ended;
      child.kill(signal);
      await within(plan.stopTimeoutMilliseconds, exited);
    }
    child.kill('SIGKILL');
    return exited;
  }

  return {
    name,
    processId,
    logFile: options.logFile,
    exited,
    exit: () => ended,
    lastLogLines: (count) => lastLines(options.logFile, count),
    stop,
  };
}

function spawnWithLog(options: ProcessOptions): ChildProcess {
  const log = openLog(options.logFile);
  try {
    return spawn(options.command, options.arguments ?? [], {
      cwd: options.workingDirectory,
      env: options.environment ?? systemEnvironment(),
      uid: options.userId,
      gid: options.groupId,
      detached: true,
      stdio: ['ignore', log, log],
      windowsHide: true,
    });
  } finally {
    closeSync(log);
  }
}

function openLog(logFile: string): number {
  try {
    try {
      renameSync(logFile, `${logFile}.previous`);
    } catch (error) {
      if (!isErrorWithCode(error, 'ENOENT')) throw error;
    }
    return openSync(logFile, 'a', 0o600);
  } catch (error) {
    throw explainFileError(error, 'write the log file', logFile);
  }
}

function explainSpawnError(options: ProcessOptions, error: Error): LocalFailure {
  const why = isErrorWithCode(error, 'ENOENT')
    ? 'it is not there'
    : isErrorWithCode(error, 'EACCES')
      ? 'it may not be executed'
      : error.message;
  return new LocalFailure(
    `${options.name} could not be started: ${options.command}: ${why}.`,
    'Install it, or run `npm ci` if it belongs to this project.',
    { cause: error },
  );
}

async function within(milliseconds: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
