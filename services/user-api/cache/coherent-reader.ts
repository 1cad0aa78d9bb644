import { setTimeout as wait } from 'node:timers/promises';
import type { CacheMetrics } from '../observability/metrics/counters.ts';
import type { KnownVersions, RecentWrites } from './known-versions.ts';
import type { LoadLimit } from './loads.ts';
import { LoadsInFlight, NextFlight, SingleFlight } from './loads.ts';
import type { FillTicket, NearCache } from './near-cache.ts';
import { refreshesEarly } from './near-cache.ts';
import { LEASE_MILLISECONDS } from './redis-versioned-cache.ts';
import {
  DELETED_VERSION,
  type SharedEntry,
  UNKNOWN_VERSION,
  type VersionedCache,
  type VersionedEntry,
} from './versioned-cache.ts';

/** What a reader of the database says that cannot be relied on, for want of anybody who knows what was written lately. */
export type Staleness =
  | 'nothing'
  /** That there is no such resource: it may have just been created. */
  | 'absence'
  | 'everything';

export interface LoadRequest {
  /** The version below which nothing is the truth, as far as is known at the moment of asking. */
  readonly minimumVersion: () => number;
  readonly staleness: Staleness;
}

/** A resource as the database has it. */
export interface LoadedResource {
  readonly version: number;
  readonly body: Uint8Array;
  /** Whether a cache had it. @default false */
  readonly fromCache?: boolean;
}

/** Loads one resource from the database. */
export interface Loader {
  /** @returns null when there is no such resource. */
  load(id: number, request: LoadRequest): Promise<LoadedResource | null>;
}

export interface CoherentReaderParts {
  readonly near: NearCache;
  /** The cache that all processes share; null when there is none. */
  readonly shared: VersionedCache | null;
  readonly loader: Loader;
  readonly knownVersions: KnownVersions;
  readonly recentWrites: RecentWrites;
  /** Bounds the loads; all readers of a process share one. */
  readonly limit: LoadLimit;
  readonly metrics: CacheMetrics;
}

/**
 * A reader that has not been asked about a resource for so long has everything that was written before. Until this process has been notified of
 * writes for so long, it knows of none that the shared cache may have lost.
 */
export const SETTLED_MILLISECONDS = 3_000;
/** With so many waiting in this process alone, others are likely to want the same. */
const HOT_WAITING = 4;
const FIRST_LEASE_POLL_MILLISECONDS = 5;

/** What the shared cache said, and when it was asked. */
interface Lookup {
  readonly ticket: FillTicket;
  /** Null: nothing; undefined: it did not reply. */
  readonly cached: SharedEntry | null | undefined;
}

/**
 * Reads single resources through all caches: this process's memory, the shared cache, then the database. `docs/cache.md` says
 * what a read is worth, and which guard is for what.
 */
export class CoherentReader {
  readonly #parts: CoherentReaderParts;
  readonly #lookups = new NextFlight<Lookup>();
  readonly #loads: LoadsInFlight;
  readonly #refreshes = new SingleFlight<VersionedEntry>();

  constructor(parts: CoherentReaderParts) {
    this.#parts = parts;
    this.#loads = new LoadsInFlight(parts.near, parts.metrics);
    parts.near.onRefresh((id) => this.#renew(id));
  }

  /**
   * @returns the resource; null when there is none.
   * @throws `ReadsShed`, and what the loader throws.
   */
  read(id: number): Promise<LoadedResource | null> {
    const { metrics, near } = this.#parts;
    const entry = near.get(id);
    if (entry !== undefined) {
      metrics.nearHits += 1;
      const { response, version } = entry;
      return Promise.resolve(response && { version, body: response.body, fromCache: true });
    }
    if (near.isOpen) metrics.nearMisses += 1;
    else metrics.nearBypasses += 1;
    return this.#readPastNear(id);
  }

  async #readPastNear(id: number): Promise<LoadedResource | null> {
    const { recentWrites, shared } = this.#parts;
    const own = recentWrites.newest(id);
    // Ids are never used again: what is deleted stays so.
    if (own?.body === null) return null;
    const known = this.#minimumVersionOf(id);
    if (shared === null)
      return resourceOf(await this.#load(id, this.#withoutReply(), known, false));
    const lookup = await this.#lookups.run(id, (done) => this.#lookUp(id, shared, done));
    if (isUsable(lookup.cached, known())) return resourceOf(lookup.cached, true);
    const isHot = this.#lookups.waiting(id) >= HOT_WAITING;
    return resourceOf(await this.#load(id, lookup, known, isHot));
  }

  #lookUp(id: number, shared: VersionedCache, done: (lookup: Lookup) => void): void {
    const ticket = this.#parts.near.ticket();
    shared.lookUp(id, (cached) => {
      const lookup = { ticket, cached };
      this.#lookedUp(id, shared, lookup);
      done(lookup);
    });
  }

  #lookedUp(id: number, shared: VersionedCache, { cached, ticket }: Lookup): void {
    const { knownVersions, metrics } = this.#parts;
    if (cached === undefined) metrics.redisSilences += 1;
    else if (cached === null) metrics.redisMisses += 1;
    else if (!isUsable(cached, knownVersions.minimumVersion(id))) metrics.redisStale += 1;
    else {
      metrics.redisHits += 1;
      this.#fillNear(id, cached, ticket);
      if (refreshesEarly(Date.now(), cached.freshUntil, cached.loadMilliseconds)) {
        this.#refresh(id, shared, { ticket, cached });
      }
    }
  }

  /**
   * The newest version that this process has written or been notified of, when it is asked: nothing older is the truth. It never falls, though known
   * versions may be forgotten while a read goes on.
   */
  #minimumVersionOf(id: number): () => number {
    const { knownVersions, recentWrites } = this.#parts;
    const known = Math.max(knownVersions.minimumVersion(id), recentWrites.newest(id)?.version ?? 0);
    return () => Math.max(known, knownVersions.minimumVersion(id));
  }

  /** @param known - from {@link #minimumVersionOf}, before the lookup. */
  async #load(
    id: number,
    lookup: Lookup,
    known: () => number,
    isHot: boolean,
  ): Promise<VersionedEntry> {
    const minimumVersion = () => Math.max(lookup.cached?.version ?? 0, known());
    const entry = await this.#loads.run(id, () =>
      this.#loadOnce(id, lookup, minimumVersion, isHot),
    );
    // The reader that began that load may have known fewer writes.
    if (entry.version >= minimumVersion()) return entry;
    return await this.#loadOnce(id, lookup, minimumVersion, false);
  }

  async #loadOnce(
    id: number,
    lookup: Lookup,
    minimumVersion: () => number,
    isHot: boolean,
  ): Promise<VersionedEntry> {
    const { limit, loader, recentWrites, shared } = this.#parts;
    if (isHot && shared !== null && !(await shared.lease(id))) {
      const other = await this.#awaitOther(id, shared, minimumVersion);
      if (other !== undefined) return other;
    }
    const beganAt = performance.now();
    const minimumBefore = minimumVersion();
    let loaded: LoadedResource | null;
    try {
      loaded = await limit.run(() =>
        loader.load(id, { minimumVersion, staleness: this.#staleness(lookup) }),
      );
    } catch (error) {
      const own = recentWrites.newest(id);
      // The database is unavailable; this process's last write is not.
      if (own !== undefined && own.version >= minimumVersion()) return own;
      throw error;
    }
    // A version that became known during the load may be of a create.
    const absent = { version: minimumBefore > 0 ? DELETED_VERSION : UNKNOWN_VERSION, body: null };
    const entry = loaded ?? absent;
    void this.#keep(id, entry, lookup, performance.now() - beganAt);
    return entry;
  }

  /**
   * Puts what was loaded into the caches. Nobody waits for it, and it never throws. The shared cache refuses what is older than it has; but it may
   * have lost what it had, and then it takes anything. So it gets only what this process would keep itself.
   */
  async #keep(
    id: number,
    entry: VersionedEntry,
    { cached, ticket }: Lookup,
    loadMilliseconds: number,
  ): Promise<void> {
    const { near, shared } = this.#parts;
    // A cache that has just not replied is not asked again.
    if (shared === null || cached === undefined) return;
    if (!near.wouldTake(id, entry.version, ticket)) return;
    const newer = await shared.setIfNewer(id, entry, { origin: 'load', loadMilliseconds });
    if (newer === null) this.#fillNear(id, entry, ticket);
  }

  #fillNear(id: number, entry: VersionedEntry, ticket: FillTicket): void {
    // An absent resource may be created any time; a notified process has to find it at once.
    if (entry.version !== UNKNOWN_VERSION) this.#parts.near.fill(id, entry, ticket);
  }

  /** The shared cache may lack earlier writes: it may have been emptied, and some published again. */
  #staleness({ cached }: Lookup): Staleness {
    if (cached === undefined) return 'absence';
    return this.#isSettled() ? 'nothing' : 'everything';
  }

  /** Whether this process has been notified of every write for so long that nothing it does not know of can be missing from a reader. */
  #isSettled(): boolean {
    const { knownVersions, near } = this.#parts;
    const since = Math.max(near.openSince, knownVersions.completeSince);
    return near.isOpen && near.now() - since >= SETTLED_MILLISECONDS;
  }

  #withoutReply(): Lookup {
    return { ticket: this.#parts.near.ticket(), cached: undefined };
  }

  /** Waits until another process has put the entry into the shared cache, for as long as its lease lasts. */
  async #awaitOther(
    id: number,
    shared: VersionedCache,
    minimumVersion: () => number,
  ): Promise<VersionedEntry | undefined> {
    const { metrics, near } = this.#parts;
    metrics.leaseWaits += 1;
    let pause = FIRST_LEASE_POLL_MILLISECONDS;
    for (let waited = 0; waited < LEASE_MILLISECONDS; pause *= 2) {
      await wait(pause);
      waited += pause;
      const ticket = near.ticket();
      const cached = await shared.get(id);
      if (cached === undefined) return undefined;
      if (!isUsable(cached, minimumVersion())) continue;
      this.#fillNear(id, cached, ticket);
      return cached;
    }
    return undefined;
  }

  /** Loads an entry that is about to end, in one process, while all go on with the one that there is. */
  #refresh(
    id: number,
    shared: VersionedCache,
    lookup: Lookup & { readonly cached: SharedEntry },
  ): void {
    const { limit, metrics } = this.#parts;
    if (!limit.hasRoomToSpare || this.#refreshes.has(id)) return;
    metrics.refreshes += 1;
    void this.#refreshes
      .run(id, async () => {
        const { cached } = lookup;
        if (!(await shared.lease(id))) return cached;
        const known = this.#minimumVersionOf(id);
        return await this.#loadOnce(id, lookup, () => Math.max(cached.version, known()), false);
      })
      // A later reader sees the error.
      .catch(() => {});
  }

  /** Reads an entry of the near cache that is about to end, while all go on with the one that there is. */
  #renew(id: number): void {
    this.#parts.metrics.refreshes += 1;
    void this.#readPastNear(id).catch(() => {});
  }
}

function resourceOf({ body, version }: VersionedEntry, fromCache = false): LoadedResource | null {
  return body === null ? null : { version, body, fromCache };
}

function isUsable(
  cached: SharedEntry | null | undefined,
  minimumVersion: number,
): cached is SharedEntry {
  return cached?.fresh === true && cached.version >= minimumVersion;
}
