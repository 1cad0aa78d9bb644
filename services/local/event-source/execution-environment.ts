import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endGroup } from '../process/process-life.ts';
import {
  type Invocation,
  type ReportedError,
  type RuntimeReply,
  runtimeReply,
} from './runtime-protocol.ts';

const PROGRAM = fileURLToPath(new URL('./runtime-process.ts', import.meta.url));

/**
 * Longest that importing the handler may take, in milliseconds, as in Lambda
 * (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib).
 */
const INITIALIZATION_TIMEOUT_MILLISECONDS = 10_000;

/** A function failed: its handler threw, its process ended, or it ran out of time. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  /** As Lambda names it: the type of the error thrown, or such as `Runtime.ExitError` and `Sandbox.Timedout`. */
  readonly errorType: string;
  /** Lines of the stack trace, where there is one. */
  readonly trace: readonly string[];

  constructor({ errorType, errorMessage, trace }: ReportedError) {
    super(errorMessage);
    this.errorType = errorType;
    this.trace = trace;
  }
}

/** Ends the processes that it guards when this one goes away without doing so; a guardian of `../process` is one. */
export interface ProcessGuard {
  guard(
    processId: number,
    plan: {
      readonly stopSignals: readonly NodeJS.Signals[];
      readonly stopTimeoutMilliseconds: number;
    },
  ): void;
  release(processId: number): void;
}

export interface ExecutionEnvironmentOptions {
  /** Path of the module that exports `handler`. */
  readonly entry: string;
  /** All the variables the process has; nothing is inherited. */
  readonly variables: Readonly<Record<string, string>>;
  readonly memoryMebibytes: number;
  /** Descriptor of the file that standard output and error go to. @default this process's own */
  readonly logDescriptor?: number | undefined;
  readonly guard?: ProcessGuard | undefined;
}

/**
 * One of Lambda's execution environments: a process that has imported the handler, and handles one invocation at a
 * time (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html). Unlike Lambda's it is not frozen
 * between invocations.
 */
export class ExecutionEnvironment {
  readonly #child: ChildProcess;
  readonly #initialized: Promise<RuntimeReply>;
  readonly #ended: Promise<void>;
  #waiting: PromiseWithResolvers<RuntimeReply>;
  #usable = true;

  constructor({
    entry,
    variables,
    memoryMebibytes,
    logDescriptor,
    guard,
  }: ExecutionEnvironmentOptions) {
    const output = logDescriptor ?? 'inherit';
    this.#child = fork(PROGRAM, [entry], {
      env: { ...variables },
      execArgv: [`--max-old-space-size=${memoryMebibytes}`],
      stdio: ['ignore', output, output, 'ipc'],
      // A process group of its own: Ctrl-C reaches the event source only, which lets invocations finish; and
      // what a handler has started can be ended with it.
      detached: process.platform !== 'win32',
    });
    const { pid } = this.#child;
    if (pid !== undefined) guard?.guard(pid, { stopSignals: [], stopTimeoutMilliseconds: 0 });
    this.#waiting = Promise.withResolvers();
    this.#initialized = this.#reply();
    this.#child.on('message', (message) => this.#waiting.resolve(runtimeReply.parse(message)));
    this.#ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#usable = false;
        if (pid !== undefined) {
          endGroup(pid);
          guard?.release(pid);
        }
        this.#waiting.reject(
          new FunctionError({ errorType: 'Runtime.ExitError', errorMessage: how, trace: [] }),
        );
        resolve();
      };
      this.#child.on('error', (error) => end(`The runtime cannot run: ${error.message}`));
      this.#child.once('exit', (code, signal) =>
        end(`The runtime exited ${signal === null ? `with code ${code}` : `by ${signal}`}`),
      );
    });
  }

  /** The operating system's id of the process; undefined when it could not be started. */
  get processId(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it can take another invocation. */
  get usable(): boolean {
    return this.#usable;
  }

  /**
   * Waits until the handler has been imported.
   *
   * @throws {FunctionError} when that fails or takes too long; the environment is then ended.
   */
  async initialize(): Promise<void> {
    const reply = await this.#within(this.#initialized, INITIALIZATION_TIMEOUT_MILLISECONDS);
    if (reply.reply === 'not initialized') {
      await this.end();
      throw new FunctionError(reply.error);
    }
  }

  /**
   * @returns the handler's response as JSON text; undefined when it returned nothing.
   * @throws {FunctionError} when the handler throws, the process ends, or `invocation.deadline` passes, after which Lambda
   * starts again, and so the environment is ended.
   */
  async invoke(invocation: Invocation): Promise<string | undefined> {
    this.#waiting = Promise.withResolvers();
    const replied = this.#reply();
    // A channel that has just closed is told by the process's end.
    this.#child.send(invocation, () => {});
    const reply = await this.#within(replied, invocation.deadline - Date.now());
    if (reply.reply === 'error') throw new FunctionError(reply.error);
    return reply.reply === 'response' ? reply.payload : undefined;
  }

  /** Ends the process, at once, as Lambda ends an environment. */
  async end(): Promise<void> {
    this.#usable = false;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** The next reply; without anybody waiting yet, the end of the process is no unhandled rejection. */
  #reply(): Promise<RuntimeReply> {
    const { promise } = this.#waiting;
    promise.catch(() => {});
    return promise;
  }

  async #within(replied: Promise<RuntimeReply>, milliseconds: number): Promise<RuntimeReply> {
    const { promise: timedOut, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(
        new FunctionError({
          errorType: 'Sandbox.Timedout',
          errorMessage: `Task timed out after ${(milliseconds / 1_000).toFixed(2)} seconds`,
          trace: [],
        }),
      );
    }, milliseconds);
    try {
      return await Promise.race([replied, timedOut]);
    } catch (error) {
      await this.end();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
