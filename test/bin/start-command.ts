import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const POLL_MILLISECONDS = 25;
/** Bounds on waiting, not on speed: the machine may be busy with other suites. */
const READY_TIMEOUT_MILLISECONDS = 90_000;
const GONE_TIMEOUT_MILLISECONDS = 20_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The start command as a process, with what it has printed. */
export interface StartCommand {
  readonly child: ChildProcess;
  /** All that it has printed, on both streams. */
  output(): string;
  /** Resolves when the screen with the parts is complete; throws when the command ends before. */
  ready(): Promise<void>;
  readonly exited: Promise<Exit>;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

/** A minimal environment, so that a variable of whoever runs the tests changes nothing. */
export function cleanEnvironment(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME, NODE_COMPILE_CACHE, TMPDIR } = process.env;
  return {
    PATH,
    HOME,
    NODE_COMPILE_CACHE,
    ...(TMPDIR !== undefined && { TMPDIR }),
    PORT: '0',
    MAILBOX_PORT: '0',
    ...variables,
  };
}

/** Commands that have not ended, by the folder of their data. */
const running = new Map<StartCommand, string>();

export function runStart(
  variables: Readonly<Record<string, string>>,
  options: {
    readonly arguments?: readonly string[];
    /** @default the program that `npm start` runs */
    readonly command?: readonly [string, ...string[]];
  } = {},
): StartCommand {
  const [program, ...first] = options.command ?? [
    process.execPath,
    join(root, 'bin/run.mjs'),
    'start',
  ];
  const child = spawn(program, [...first, ...(options.arguments ?? [])], {
    cwd: root,
    env: cleanEnvironment(variables),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  let ended: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      ended = { code, signal };
      resolve(ended);
    });
  });
  const command: StartCommand = {
    child,
    output: () => output,
    exited,
    async ready() {
      await until('the screen is complete', READY_TIMEOUT_MILLISECONDS, () => {
        if (ended !== undefined) throw new Error(`the start command ended:\n${output}`);
        return /^Try.*\n(.+\n){5}\n/m.test(output);
      }).catch((error: unknown) => {
        throw new Error(`not ready; it has printed:\n${output}`, { cause: error });
      });
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return await exited;
    },
  };
  running.set(command, variables.LOCAL_DIRECTORY ?? '');
  void exited.then(() => running.delete(command));
  return command;
}

export async function until(
  what: string,
  milliseconds: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await isSo())) {
    if (performance.now() > deadline)
      throw new Error(`after ${milliseconds} ms it was not so that ${what}`);
    await wait(POLL_MILLISECONDS);
  }
}

interface ProcessLine {
  readonly id: number;
  readonly parentId: number;
  readonly command: string;
}

function processes(): readonly ProcessLine[] {
  const listing = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,command='], {
    encoding: 'utf8',
  });
  return listing
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null && !match[3]?.startsWith('Z'))
    .map((match) => ({
      id: Number(match?.[1]),
      parentId: Number(match?.[2]),
      command: match?.[4] ?? '',
    }));
}

/** The process `id` and all that it has started, directly or not. */
export function processTree(id: number): readonly ProcessLine[] {
  const all = processes();
  const found = all.filter((line) => line.id === id);
  for (const parent of found) found.push(...all.filter((line) => line.parentId === parent.id));
  return found;
}

/** Waits until none of `lines` runs any more, nor any process with `directory` in its command line. */
export async function nothingLeft(lines: readonly ProcessLine[], directory: string): Promise<void> {
  const ids = new Set(lines.map((line) => line.id));
  const left = () =>
    processes().filter((line) => ids.has(line.id) || line.command.includes(directory));
  await until(
    'nothing is left running',
    GONE_TIMEOUT_MILLISECONDS,
    () => left().length === 0,
  ).catch((error: unknown) => {
    throw new Error(`left running: ${JSON.stringify(left(), null, 2)}`, { cause: error });
  });
}

/** A folder that goes when it is disposed of, and with it every command that keeps its data there. */
export async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'headroom-start-'));
  return {
    path,
    async [Symbol.asyncDispose]() {
      // A test that failed has left its command running.
      for (const [command, directory] of running) {
        if (directory.startsWith(path)) await command.stop('SIGKILL');
      }
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The `curl` lines of the screen, whole. */
export function curlLines(output: string): readonly string[] {
  return [...output.matchAll(/^ {2}(curl .*)$/gm)].map((match) => match[1] ?? '');
}

/** Runs a line as somebody would who pastes it, and parses the JSON that it prints. */
export async function paste(line: string): Promise<unknown> {
  const { stdout } = await run('sh', ['-c', line]);
  return JSON.parse(stdout);
}

export function processIdOf(command: { child: { pid?: number | undefined } }): number {
  if (command.child.pid === undefined) throw new Error('the start command has no process id');
  return command.child.pid;
}

/** Expects the command to end by itself with one message, and with nothing left behind. */
export async function expectRefusal(
  variables: Readonly<Record<string, string>>,
  message: RegExp,
): Promise<void> {
  const command = runStart(variables);
  const { code } = await command.exited;
  const output = command.output();

  expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(message) });
  expect(output.match(/^Error:/gm)).toHaveLength(1);
  expect(output, 'a stack trace is no message').not.toMatch(/^\s+at /m);
  if (variables.LOCAL_DIRECTORY?.startsWith('/proc/') === false)
    await nothingLeft([], variables.LOCAL_DIRECTORY);
}
