/** All slots are taken, and the queue is full or the wait was too long: the task was not started. */
export class NoSlot extends Error {
  override readonly name = 'NoSlot';
}

export interface ConcurrencyLimits {
  /** Maximum of running tasks; at least 1. */
  readonly concurrency: number;
  /** Maximum of tasks that wait for a slot; at least 0. */
  readonly maximumWaiting: number;
  /** Longest wait for a slot, in milliseconds. @default no limit */
  readonly maximumWaitMilliseconds?: number;
}

/** A taken slot: the generation of running tasks that it belongs to. */
export type Slot = number;

interface Waiting {
  readonly giveUpAt: number;
  readonly start: (slot: Slot) => void;
  readonly refuse: (error: unknown) => void;
}

/** Limits concurrent tasks; a bounded number of others waits, in order of arrival, for a bounded time. A refused task is never started. */
export class ConcurrencyLimiter {
  readonly #limits: ConcurrencyLimits;
  readonly #maximumWait: number;
  readonly #waiting: Waiting[] = [];
  #running = 0;
  /** Increases when running tasks are forgotten, whose slots are of an older generation. */
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
   * Runs `task` in a slot.
   *
   * @throws {@link NoSlot} when too many wait or the wait is too long; the error of {@link refuseWaiting}; what the task throws.
   */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    const slot = this.tryTake() ?? (await this.wait());
    try {
      return await task();
    } finally {
      this.free(slot);
    }
  }

  /** Takes a slot if one is free; the caller frees it. */
  tryTake(): Slot | undefined {
    if (this.#running >= this.#limits.concurrency) return undefined;
    this.#running += 1;
    return this.#generation;
  }

  /** Waits for a slot, which the caller frees. @throws as {@link run} does before the task. */
  wait(): Promise<Slot> {
    const { concurrency, maximumWaiting } = this.#limits;
    if (this.#waiting.length >= maximumWaiting) {
      return Promise.reject(
        new NoSlot(`${concurrency} tasks run and ${this.#waiting.length} wait, which is the most`),
      );
    }
    return new Promise((start, refuse) => {
      this.#waiting.push({ giveUpAt: performance.now() + this.#maximumWait, start, refuse });
      this.#watch();
    });
  }

  /** Frees a slot. A slot that {@link forgetRunning} has freed already is not freed twice. */
  free(slot: Slot): void {
    if (slot !== this.#generation) return;
    // The slot passes to the task that has waited longest, so that a new one cannot take it first.
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next.start(slot);
    if (this.#waiting.length === 0) this.#stopWatching();
  }

  /** Refuses all tasks that wait. */
  refuseWaiting(error: unknown): void {
    this.#stopWatching();
    for (const { refuse } of this.#waiting.splice(0)) refuse(error);
  }

  /** Frees the slots of all running tasks, which may never settle. */
  forgetRunning(): void {
    this.#generation += 1;
    this.#running = 0;
    for (let slot = this.tryTake(); slot !== undefined; slot = this.tryTake()) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#running -= 1;
        break;
      }
      next.start(slot);
    }
    if (this.#waiting.length === 0) this.#stopWatching();
  }

  /** One timer for all: the task that has waited longest times out first. */
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
          this.#waiting.shift()?.refuse(new NoSlot(`No slot was free in ${this.#maximumWait} ms`));
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
