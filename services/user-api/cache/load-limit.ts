import { ConcurrencyLimiter } from '../../contracts/concurrency/concurrency-limiter.ts';
import type { CacheMetrics } from '../observability/metrics/cache-counters.ts';

/** Too many reads wait for the database already; this one was not begun. */
export class ReadsShed extends Error {
  override readonly name = 'ReadsShed';
}

/**
 * Bounds how many loads from the database are in flight at once. Without it, caches that fail turn every read into a load, and the database that
 * is asked by all answers nobody in time; with it, the reads that are let through stay fast.
 */
export class LoadLimit {
  readonly #maximum: number;
  readonly #metrics: CacheMetrics;
  readonly #slots: ConcurrencyLimiter;

  constructor(maximum: number, metrics: CacheMetrics) {
    this.#maximum = maximum;
    this.#metrics = metrics;
    this.#slots = new ConcurrencyLimiter({ concurrency: maximum, maximumWaiting: 0 });
  }

  /** Whether there is room for what nobody waits for: it leaves half of the slots to those who do. */
  get hasRoomToSpare(): boolean {
    return this.#slots.running < this.#maximum / 2;
  }

  /** @throws {@link ReadsShed} when as many loads are in flight as there may be. */
  async run<Value>(load: () => Promise<Value>): Promise<Value> {
    const slot = this.#slots.tryTake();
    if (slot === undefined) {
      this.#metrics.shed += 1;
      throw new ReadsShed(`${this.#maximum} reads wait for the database`);
    }
    try {
      return await load();
    } finally {
      this.#slots.free(slot);
    }
  }
}
