import { ConcurrencyLimiter } from '../../contracts/concurrency/concurrency-limiter.ts';
import type { CacheMetrics } from '../observability/metrics/counters.ts';
import type { FillTicket, NearCache } from './near-cache.ts';
import { type BeginLoad, NextFlight, SingleFlight } from './single-flight.ts';
import type { VersionedEntry } from './versioned-cache.ts';

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

/**
 * The loads of a process, of which those of one resource at the same time are one. A load that began earlier may lack what was written since. That does
 * no harm where this process has been notified of it, and remembers it; else nobody gets a load that began before they asked.
 */
export class LoadsInFlight {
  readonly #near: Pick<NearCache, 'isOpen' | 'ticket'>;
  readonly #metrics: CacheMetrics;
  /** Loads that began while this process was notified of every write, and had forgotten none since {@link #known}. */
  #notifiedLoads = new SingleFlight<VersionedEntry>();
  #known: FillTicket;
  readonly #unnotifiedLoads = new NextFlight<VersionedEntry>();

  constructor(near: Pick<NearCache, 'isOpen' | 'ticket'>, metrics: CacheMetrics) {
    this.#near = near;
    this.#metrics = metrics;
    this.#known = near.ticket();
  }

  /** @throws what `load` throws. */
  run(id: number, load: () => Promise<VersionedEntry>): Promise<VersionedEntry> {
    if (!this.#near.isOpen) return this.#unnotifiedLoads.run(id, asBegun(load));
    const now = this.#near.ticket();
    const { forgotten, opening } = this.#known;
    if (now.opening !== opening || now.forgotten !== forgotten) {
      this.#notifiedLoads = new SingleFlight();
      this.#known = now;
    }
    if (this.#notifiedLoads.has(id)) this.#metrics.sharedLoads += 1;
    return this.#notifiedLoads.run(id, load);
  }
}

/** A load as {@link NextFlight} begins it: done when its promise is settled. */
function asBegun<Value>(load: () => Promise<Value>): BeginLoad<Value> {
  return (done) => {
    const loading = load();
    const end = () => done(loading);
    loading.then(end, end);
  };
}
