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

/** The caller of tasks without one. */
const ANY_CALLER = '';

/**
 * Limits concurrent tasks; a bounded number of others waits for a bounded time. A refused task is never started.
 *
 * It is fair to callers: their tasks start round robin, those of one caller in order of arrival; and when the queue is full, the newest task of the
 * caller with the most waiting ones is refused (longest queue drop).
 */
export class ConcurrencyLimiter {
  readonly #limits: ConcurrencyLimits;
  readonly #maximumWait: number;
  readonly #waiting = new FairQueue<Waiting>();
  #running = 0;
  /** Incremented when running tasks are forgotten; their slots are of an older generation. */
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
    return this.#waiting.size;
  }

  /**
   * Runs `task` in a slot.
   *
   * @param caller - for fairness between callers. @default one caller for all tasks without one
   * @throws {@link NoSlot} when too many wait or the wait is too long; the error of {@link refuseWaiting}; errors of the task.
   */
  async run<Result>(task: () => Promise<Result>, caller = ANY_CALLER): Promise<Result> {
    const slot = this.tryTake() ?? (await this.wait(caller));
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
  wait(caller = ANY_CALLER): Promise<Slot> {
    const { concurrency, maximumWaiting } = this.#limits;
    const waiting = this.#waiting.size;
    if (waiting >= maximumWaiting) {
      const full = new NoSlot(`${concurrency} tasks run and ${waiting} wait, which is the most`);
      const displaced = this.#waiting.makeRoomFor(caller);
      if (displaced === undefined) return Promise.reject(full);
      displaced.refuse(full);
    }
    return new Promise((start, refuse) => {
      const giveUpAt = performance.now() + this.#maximumWait;
      this.#waiting.add(caller, { giveUpAt, start, refuse });
      this.#watch();
    });
  }

  /** Frees a slot. A slot that {@link forgetRunning} has freed already is not freed twice. */
  free(slot: Slot): void {
    if (slot !== this.#generation) return;
    // The slot passes to the next task, so that a new one cannot take it first.
    const next = this.#waiting.take();
    if (next === undefined) this.#running -= 1;
    else next.start(slot);
    if (this.#waiting.size === 0) this.#stopWatching();
  }

  /** Refuses all tasks that wait. */
  refuseWaiting(error: unknown): void {
    this.#stopWatching();
    for (const { refuse } of this.#waiting.removeWhile(() => true)) refuse(error);
  }

  /** Frees the slots of all running tasks, which may never settle. */
  forgetRunning(): void {
    this.#generation += 1;
    this.#running = 0;
    for (let slot = this.tryTake(); slot !== undefined; slot = this.tryTake()) {
      const next = this.#waiting.take();
      if (next === undefined) {
        this.#running -= 1;
        break;
      }
      next.start(slot);
    }
    if (this.#waiting.size === 0) this.#stopWatching();
  }

  /** One timer for all, at the end of the longest wait. */
  #watch(): void {
    if (this.#timer !== undefined || this.#maximumWait === Number.POSITIVE_INFINITY) return;
    let first = Number.POSITIVE_INFINITY;
    for (const { giveUpAt } of this.#waiting.heads()) first = Math.min(first, giveUpAt);
    if (first === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const now = performance.now();
        for (const { refuse } of this.#waiting.removeWhile(({ giveUpAt }) => giveUpAt <= now)) {
          refuse(new NoSlot(`No slot was free in ${this.#maximumWait} ms`));
        }
        this.#watch();
      },
      Math.max(1, first - performance.now()),
    );
  }

  #stopWatching(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Items of several callers, who take turns. */
class FairQueue<Item> {
  /** In order of arrival by caller, the callers in the order of their turns; never empty lists. */
  readonly #byCaller = new Map<string, Item[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(caller: string, item: Item): void {
    this.#size += 1;
    const own = this.#byCaller.get(caller);
    if (own === undefined) this.#byCaller.set(caller, [item]);
    else own.push(item);
  }

  /** Removes the first item of the next caller. */
  take(): Item | undefined {
    if (this.#size === 0) return undefined;
    for (const [caller, items] of this.#byCaller) {
      const next = items.shift();
      this.#size -= 1;
      // The caller goes to the end of the order; a single one is there already.
      if (items.length === 0) this.#byCaller.delete(caller);
      else if (this.#byCaller.size > 1) {
        this.#byCaller.delete(caller);
        this.#byCaller.set(caller, items);
      }
      return next;
    }
    return undefined;
  }

  /** Removes the newest item of the caller with the most; none when `caller` would then have as many. */
  makeRoomFor(caller: string): Item | undefined {
    let most: Item[] = [];
    for (const items of this.#byCaller.values()) if (items.length > most.length) most = items;
    const own = this.#byCaller.get(caller)?.length ?? 0;
    if (most.length <= own + 1) return undefined;
    this.#size -= 1;
    return most.pop();
  }

  /** The first item of each caller. */
  *heads(): Generator<Item> {
    for (const items of this.#byCaller.values()) yield* items.slice(0, 1);
  }

  /** Removes the items of each caller up to the first that `isRemoved` does not hold for. @returns them */
  removeWhile(isRemoved: (item: Item) => boolean): readonly Item[] {
    const removed: Item[] = [];
    for (const [caller, items] of this.#byCaller) {
      const kept = items.findIndex((item) => !isRemoved(item));
      removed.push(...items.splice(0, kept === -1 ? items.length : kept));
      if (items.length === 0) this.#byCaller.delete(caller);
    }
    this.#size -= removed.length;
    return removed;
  }
}
