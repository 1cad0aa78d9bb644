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

/**
 * Runs a few tasks at once, has a few more wait in order, and refuses the rest at once: with both numbers bounded, so is
 * the time that anybody waits.
 */
export class BoundedQueue {
  readonly #concurrency: number;
  readonly #maximumWaiting: number;
  readonly #waiting: (() => void)[] = [];
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
    return this.#waiting.length;
  }

  /** @throws {@link QueueFull} at once, or what the task throws. */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#concurrency) {
      this.#running += 1;
    } else {
      if (this.#waiting.length >= this.#maximumWaiting) {
        throw new QueueFull(
          `${this.#running} tasks run and ${this.#waiting.length} wait, as many as may`,
        );
      }
      // The task that ends hands its place on, so that a newcomer cannot slip in before the one that is woken.
      await new Promise<void>((start) => this.#waiting.push(start));
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
