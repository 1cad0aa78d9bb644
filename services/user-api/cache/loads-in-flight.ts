import type { CacheMetrics } from '../observability/metrics/cache-counters.ts';
import type { FillTicket, NearCache } from './near-cache.ts';
import { type BeginLoad, NextFlight, SingleFlight } from './single-flight.ts';
import type { VersionedEntry } from './versioned-cache.ts';

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
