/** All places are taken: the task was not started. */
export class NoPlace extends Error {
  override readonly name = 'NoPlace';
}

export interface ConcurrencyLimits {
  /** Most tasks that run at once; at least 1. */
  readonly concurrency: number;
  /** Most tasks that wait for a place; at least 0. */
  readonly maximumWaiting: number;
  /** Longest wait for a place, in milliseconds. @default no limit */
  readonly maximumWaitMilliseconds?: number;
}

/** A place that was taken. */
export type Place = number;

interface Waiting {
  readonly giveUpAt: number;
  readonly start: (place: Place) => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Runs a few tasks at once and lets a few more wait in order of arrival. The number of waiting tasks and their wait are bounded, and a task that was
 * refused is never started.
 */
export class ConcurrencyLimiter {
  readonly #limits: ConcurrencyLimits;
  readonly #maximumWait: number;
  readonly #waiting: Waiting[] = [];
  #running = 0;
  /** Changes when running tasks are forgotten: their places are of an older generation. */
  #generation = 1;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: ConcurrencyLimits) {
    this.#limits = limits;
    this.#maximumWait = limits.maximumWaitMilliseconds ?? Number.POSITIVE_INFINITY;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Runs `task` when it gets a place, and frees the place when the task is settled.
   *
   * @throws {@link NoPlace} when too many wait or the wait was too long; what {@link refuseWaiting} was called with; what the task throws.
   */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    const place = this.tryTake() ?? (await this.wait());
    try {
      return await task();
    } finally {
      this.free(place);
    }
  }

  /** Takes a place if one is free; the caller frees it. */
  tryTake(): Place | undefined {
    if (this.#running >= this.#limits.concurrency) return undefined;
    this.#running += 1;
    return this.#generation;
  }

  /** Waits for a place, which the caller frees. @throws as {@link run} does before the task. */
  wait(): Promise<Place> {
    const { concurrency, maximumWaiting } = this.#limits;
    if (this.#waiting.length >= maximumWaiting) {
      return Promise.reject(
        new NoPlace(`${concurrency} tasks run and ${this.#waiting.length} wait, which is the most`),
      );
    }
    return new Promise((start, refuse) => {
      this.#waiting.push({ giveUpAt: performance.now() + this.#maximumWait, start, refuse });
      this.#watch();
    });
  }

  /** Frees a place. A place that {@link forgetRunning} has freed already is not freed twice. */
  free(place: Place): void {
    if (place !== this.#generation) return;
    // The place goes to the task that has waited longest, so that a newcomer cannot take it first.
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next.start(place);
    if (this.#waiting.length === 0) this.#stopWatching();
  }

  /** Refuses all tasks that wait. */
  refuseWaiting(error: unknown): void {
    this.#stopWatching();
    for (const { refuse } of this.#waiting.splice(0)) refuse(error);
  }

  /** Frees the places of all running tasks, for tasks that will never be settled. */
  forgetRunning(): void {
    this.#generation += 1;
    this.#running = 0;
    for (let place = this.tryTake(); place !== undefined; place = this.tryTake()) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#running -= 1;
        break;
      }
      next.start(place);
    }
    if (this.#waiting.length === 0) this.#stopWatching();
  }

  /** One timer for all: whoever waits longest gives up first. */
  #watch(): void {
    const [first] = this.#waiting;
    if (
      this.#timer !== undefined ||
      first === undefined ||
      first.giveUpAt === Number.POSITIVE_INFINITY
    )
      return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const now = performance.now();
        while (this.#waiting[0] !== undefined && this.#waiting[0].giveUpAt <= now) {
          this.#waiting
            .shift()
            ?.refuse(new NoPlace(`No place was free in ${this.#maximumWait} ms`));
        }
        this.#watch();
      },
      Math.max(1, first.giveUpAt - performance.now()),
    );
  }

  #stopWatching(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
