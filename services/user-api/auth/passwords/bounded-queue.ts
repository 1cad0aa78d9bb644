/** All places are taken and as many wait as may: the work was not begun. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

export interface BoundedQueueOptions {
  /** Most tasks that run at once; at least 1. */
  readonly concurrency: number;
  /** Most tasks that wait for a place; at least 0. */
  readonly maximumWaiting: number;
}

interface Waiter {
  start(): void;
  refuse(error: QueueFull): void;
}

/**
 * Runs a few tasks at once, has a few more wait, and refuses the rest: with both numbers bounded, so is the time that anybody waits. Callers take
 * turns; when all places are taken, the newest task of whoever has most there makes room for one who has less (longest queue drop), so that
 * one caller's crowd costs others at most a turn.
 *
 * Not a `ConcurrencyLimiter`, which starts tasks in the order of their arrival and refuses the newest: here both depend on the caller, so that no
 * more than the count of running tasks would be shared.
 */
export class BoundedQueue {
  readonly #concurrency: number;
  readonly #maximumWaiting: number;
  /** By caller, in the order of their turns; never empty lists. */
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

  /** @throws {@link QueueFull} when `task` was not begun, or what it throws. */
  async run<Result>(caller: string, task: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#concurrency) this.#running += 1;
    else await this.#wait(caller);
    try {
      return await task();
    } finally {
      // The task that ends hands its place on, so that a newcomer cannot slip in before the one that is woken.
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

  /** @throws {@link QueueFull} when nobody has more places than `caller` would have then. */
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
    // Its next task waits for the turns of all others.
    this.#waiting.delete(caller);
    if (waiters.length > 0) this.#waiting.set(caller, waiters);
    this.#waitingCount -= 1;
    return next;
  }
}
