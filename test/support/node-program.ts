import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** Options of Node.js for a program that runs from the sources, as `npm start` gives them: packages resolve in half the time. */
export const sourceOptions: readonly string[] = [
  '--import',
  new URL('../../bin/module-hooks.mjs', import.meta.url).href,
];

/** A Node.js program that runs beside the test and tells it things with `process.send`. */
export interface NodeProgram<Message> {
  readonly processId: number;
  /** Tells it something, as a message of its channel. */
  send(message: object): void;
  /** The next thing that it tells. Fails when it ends first, with what it wrote to standard error. */
  next(): Promise<Message>;
  /** Sends a signal and waits until it has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/**
 * Runs a program of the tests; it ends with the test process, whatever happens to that, if it watches `disconnect`.
 * @param runner a program, with its arguments, that runs the command line put behind them. @default none
 */
export function startNodeProgram<Message>(
  path: string,
  args: readonly string[] = [],
  runner: readonly string[] = [],
): NodeProgram<Message> {
  const [execPath = process.execPath, ...execArgv] = [
    ...runner,
    process.execPath,
    ...sourceOptions,
  ];
  const child = fork(path, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execPath,
    execArgv,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${path} did not start`);
  const exited = once(child, 'exit');
  const messages = collect<Message>(child);
  return {
    processId: pid,
    send: (message) => void child.send(message),
    next: messages,
    async end(signal) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(signal);
        await exited;
      }
    },
  };
}

function collect<Message>(child: ChildProcess): () => Promise<Message> {
  const arrived: Message[] = [];
  const waiting: PromiseWithResolvers<Message>[] = [];
  let errors = '';
  let ended = false;
  child.stderr?.on('data', (data) => {
    errors += data;
  });
  child.on('message', (message) => {
    const received = message as Message;
    const first = waiting.shift();
    if (first) first.resolve(received);
    else arrived.push(received);
  });
  child.once('close', () => {
    ended = true;
    for (const { reject } of waiting) reject(new Error(`The program ended. ${errors}`));
  });
  return () => {
    const message = arrived.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (ended) return Promise.reject(new Error(`The program has ended. ${errors}`));
    const next = Promise.withResolvers<Message>();
    waiting.push(next);
    return next.promise;
  };
}
