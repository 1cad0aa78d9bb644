import { type PoolRunnerInitializer, type PoolWorker, ThreadsPoolWorker } from 'vitest/node';

type Options = Parameters<PoolRunnerInitializer['createPoolWorker']>[0];
type Request = Parameters<PoolWorker['send']>[0];
type Listener = (...values: unknown[]) => void;

/** A thread is replaced after so many mutants, so that what they leave behind (timers, connections) does not add up. */
const RUNS_PER_THREAD = 40;

interface Thread {
  readonly worker: ThreadsPoolWorker;
  runs: number;
}

/**
 * A pool for vitest whose thread outlives a run, with the modules that it has loaded. StrykerJS makes a run for each mutant, and
 * vitest's own pools a thread for each run: to start one and to load the modules takes most of a second, and the tests milliseconds.
 * A mutant is a variable that the instrumented code looks at, so that the modules need not be loaded again.
 */
export function keptThread(): PoolRunnerInitializer {
  let kept: Thread | undefined;
  return {
    name: 'kept-thread',
    createPoolWorker(options) {
      const thread = kept ?? { worker: new ThreadsPoolWorker(options), runs: 0 };
      const isNew = kept === undefined;
      kept = undefined;
      return new KeptThread(thread, isNew, options, (finished) => {
        kept = finished;
      });
    },
  };
}

/** What one run sees of a thread. */
class KeptThread implements PoolWorker {
  readonly name = 'kept-thread';
  readonly #thread: Thread;
  readonly #isNew: boolean;
  readonly #keep: (thread: Thread) => void;
  readonly #listeners: (readonly [string, Listener])[] = [];
  #isKept = false;

  constructor(thread: Thread, isNew: boolean, options: Options, keep: (thread: Thread) => void) {
    this.#thread = thread;
    this.#isNew = isNew;
    this.#keep = keep;
    if (isNew) options.project.vitest.onClose(() => thread.worker.stop().catch(() => {}));
  }

  on(event: string, listener: Listener): void {
    this.#listeners.push([event, listener]);
    this.#thread.worker.on(event, listener);
  }

  off(event: string, listener: Listener): void {
    this.#thread.worker.off(event, listener);
  }

  send(message: Request): void {
    if (message.type === 'run') this.#thread.runs += 1;
    if (message.type !== 'stop' || this.#thread.runs >= RUNS_PER_THREAD) {
      this.#thread.worker.send(message);
      return;
    }
    // The pool asks for the end of the thread and waits for this.
    this.#isKept = true;
    const stopped = { type: 'stopped', __vitest_worker_response__: true };
    for (const [event, listener] of this.#listeners) if (event === 'message') listener(stopped);
  }

  async start(): Promise<void> {
    if (this.#isNew) await this.#thread.worker.start();
  }

  /** Without a request to stop before, the pool has lost patience or the thread: it is not used again. */
  async stop(): Promise<void> {
    for (const [event, listener] of this.#listeners) this.#thread.worker.off(event, listener);
    if (this.#isKept) this.#keep(this.#thread);
    else await this.#thread.worker.stop();
  }

  deserialize(data: unknown): unknown {
    return data;
  }

  canReuse(): boolean {
    return true;
  }
}
