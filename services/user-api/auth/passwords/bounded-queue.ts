/** All slots are taken and the queue is full: the task was not started. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

export interface BoundedQueueOptions {
  /** Maximum of running tasks; at least 1. */
  readonly concurrency: number;
  /** Maximum of tasks that wait for a slot; at least 0. */
  readonly maximumWaiting: number;
}

interface Waiter {
  start(): void;
  refuse(error: QueueFull): void;
}

/**
 * A concurrency limiter that is fair to callers: it starts their tasks round robin, and when the queue is full, it drops the newest task of the caller
 * with the most waiting ones (longest queue drop).
 *
 * Not a `ConcurrencyLimiter`, which starts tasks in order of arrival and refuses the newest: only the count of running tasks would be shared.
 */
export class BoundedQueue {
  readonly #concurrency: number;
  readonly #maximumWaiting: number;
  /** By caller, in round-robin order; never empty lists. */
  readonly #waiting = new Map<string, Waiter[]>();
  #waitingCount = 0;
  #running = 0;

  constructor({ concurrency, maximumWaiting }: BoundedQueueOptions) {
    this.#concurrency = concurrency;
    this.#maximumWaiting = maximumWaiting;
  }

  /** Tasks that run now. */
  get running(): number {
    return this.#running;
  }

  /** Tasks that wait now. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /** @throws {@link QueueFull} when `task` is not started; what it throws. */
  async run<Result>(caller: string, task: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#concurrency) this.#running += 1;
    else await this.#wait(caller);
    try {
      return await task();
    } finally {
      // The slot passes to the next task, so that a new one cannot take it first.
      const next = this.#next();
      if (next === undefined) this.#running -= 1;
      else next.start();
    }
  }

  async #wait(caller: string): Promise<void> {
    if (this.#waitingCount >= this.#maximumWaiting) this.#makeRoomFor(caller);
    this.#waitingCount += 1;
    await new Promise<void>((start, refuse) => {
      const waiter = { start, refuse };
      const own = this.#waiting.get(caller);
      if (own === undefined) this.#waiting.set(caller, [waiter]);
      else own.push(waiter);
    });
  }

  /** @throws {@link QueueFull} when no caller has more waiting tasks than `caller` would have. */
  #makeRoomFor(caller: string): void {
    const full = new QueueFull(
      `${this.#running} tasks run and ${this.#waitingCount} wait, as many as may`,
    );
    const own = this.#waiting.get(caller)?.length ?? 0;
    let most: Waiter[] = [];
    for (const waiters of this.#waiting.values()) if (waiters.length > most.length) most = waiters;
    if (most.length <= own + 1) throw full;
    this.#waitingCount -= 1;
    most.pop()?.refuse(full);
  }

  #next(): Waiter | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [caller, waiters] = first;
    const next = waiters.shift();
    // The caller goes to the end of the order.
    this.#waiting.delete(caller);
    if (waiters.length > 0) this.#waiting.set(caller, waiters);
    this.#waitingCount -= 1;
    return next;
  }
}
