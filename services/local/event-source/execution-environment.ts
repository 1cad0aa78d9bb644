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

/** The handler threw, its process ended, or it ran out of time. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  /** Lambda's name: the type of the error thrown, or `Runtime.ExitError`, `Sandbox.Timedout` and the like. */
  readonly errorType: string;
  readonly trace: readonly string[];

  constructor({ errorType, errorMessage, trace }: ReportedError) {
    super(errorMessage);
    this.errorType = errorType;
    this.trace = trace;
  }
}

/** Ends guarded processes when this one is killed; a guardian of `../process` is one. */
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
  /** The whole environment of the process. */
  readonly variables: Readonly<Record<string, string>>;
  readonly memoryMebibytes: number;
  /** Descriptor of the file that standard output and error go to. @default this process's own */
  readonly logDescriptor?: number | undefined;
  readonly guard?: ProcessGuard | undefined;
}

/**
 * One of Lambda's execution environments: a process that has imported the handler, and handles one invocation at a time
 * (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html). Unlike Lambda's it is not frozen between invocations.
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
      // A process group of its own: Ctrl-C reaches the event source only, which lets invocations finish; and processes of the handler end with it.
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

  /** Undefined when the process could not be started. */
  get processId(): number | undefined {
    return this.#child.pid;
  }

  get usable(): boolean {
    return this.#usable;
  }

  /**
   * Waits until the handler has been imported.
   *
   * @throws {FunctionError} on failure or timeout; the environment is then ended.
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
   * @throws {FunctionError} when the handler throws, the process ends, or `invocation.deadline` passes, which ends the environment, as in
   * Lambda.
   */
  async invoke(invocation: Invocation): Promise<string | undefined> {
    this.#waiting = Promise.withResolvers();
    const replied = this.#reply();
    // A closed channel is reported by the end of the process.
    this.#child.send(invocation, () => {});
    const reply = await this.#within(replied, invocation.deadline - Date.now());
    if (reply.reply === 'error') throw new FunctionError(reply.error);
    return reply.reply === 'response' ? reply.payload : undefined;
  }

  /** At once, as Lambda ends an environment. */
  async end(): Promise<void> {
    this.#usable = false;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** The next reply; the end of the process is no unhandled rejection. */
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
