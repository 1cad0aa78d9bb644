import {
  CoherentReader,
  type LoadedResource,
  type LoadRequest,
} from '../../../../../services/user-api/cache/coherent-reader.ts';
import {
  KnownVersions,
  RecentWrites,
} from '../../../../../services/user-api/cache/known-versions.ts';
import { LoadLimit } from '../../../../../services/user-api/cache/loads.ts';
import { NearCache } from '../../../../../services/user-api/cache/near-cache.ts';
import type {
  SetIfNewerOptions,
  SharedEntry,
  VersionedCache,
  VersionedEntry,
} from '../../../../../services/user-api/cache/versioned-cache.ts';
import { CacheMetrics } from '../../../../../services/user-api/observability/metrics/counters.ts';

export const MAXIMUM_LOADS = 4;
/** Most versions in a half of what the process of a scene knows. */
export const KNOWN_MAXIMUM = 10;

type Cached = SharedEntry | null | undefined;

/** An entry as Redis has it; fresh for an hour unless it says otherwise. */
export function sharedEntry(version: number, fields: Partial<SharedEntry> = {}): SharedEntry {
  const freshUntil = Date.now() + 3_600_000;
  return {
    version,
    body: Buffer.from(`redis ${version}`),
    fresh: true,
    freshUntil,
    loadMilliseconds: 1,
    ...fields,
  };
}

/** A shared cache that holds lookups back for as long as a test wants; the coherence suite has the same with Redis. */
export class HeldCache implements VersionedCache {
  cached: Cached = null;
  /** What a lookup waits for. */
  gate: Promise<void> | null = null;
  lookups = 0;
  /** What replies to a lease. */
  mayLoad = true;
  leases = 0;
  /** What replies to `setIfNewer`. */
  newer: Cached = null;
  readonly stored: (VersionedEntry & SetIfNewerOptions)[] = [];

  lookUp(_id: number, settle: (cached: Cached) => void): void {
    this.lookups += 1;
    if (this.gate === null) settle(this.cached);
    else void this.gate.then(() => settle(this.cached));
  }

  get(id: number): Promise<Cached> {
    return new Promise((resolve) => this.lookUp(id, resolve));
  }

  async setIfNewer(
    _id: number,
    entry: VersionedEntry,
    options: SetIfNewerOptions,
  ): Promise<Cached> {
    this.stored.push({ ...entry, ...options });
    return this.newer;
  }

  async lease(): Promise<boolean> {
    this.leases += 1;
    return this.mayLoad;
  }
}

/** A reader of one process with all its caches, whose database and shared cache a test plays. */
export class ReaderScene {
  readonly clock = { now: 0 };
  readonly metrics = new CacheMetrics();
  readonly knownVersions = new KnownVersions({
    maximum: KNOWN_MAXIMUM,
    clock: () => this.clock.now,
  });
  readonly recentWrites = new RecentWrites();
  readonly limit = new LoadLimit(MAXIMUM_LOADS, this.metrics);
  readonly near: NearCache;
  readonly shared = new HeldCache();
  readonly reader: CoherentReader;
  readonly requests: LoadRequest[] = [];
  /** What the database replies. */
  load: () => Promise<LoadedResource | null> = async () => this.stored;
  stored: LoadedResource | null = { version: 1, body: Buffer.from('database 1') };

  constructor({ nearCacheBytes = 1_000_000, hasShared = true } = {}) {
    const { knownVersions, limit, metrics, recentWrites } = this;
    const clock = () => this.clock.now;
    this.near = new NearCache({ maximumBytes: nearCacheBytes, knownVersions, metrics, clock });
    this.reader = new CoherentReader({
      near: this.near,
      shared: hasShared ? this.shared : null,
      loader: {
        load: async (_id, request) => {
          this.requests.push(request);
          return await this.load();
        },
      },
      knownVersions,
      recentWrites,
      limit,
      metrics,
    });
    this.near.open();
  }

  store(version: number): void {
    this.stored = { version, body: Buffer.from(`database ${version}`) };
  }

  /** What a read gives, as text; with `null` where there is no such resource. */
  async read(id = 1): Promise<string | null> {
    const found = await this.reader.read(id);
    return found === null ? null : Buffer.from(found.body).toString();
  }

  /** A gate that holds lookups back, until what is returned is called. */
  holdLookups(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.shared.gate = promise;
    return () => {
      this.shared.gate = null;
      resolve();
    };
  }

  /** Holds loads back, until what is returned is called; each gives what is stored then, or fails. */
  holdLoads(): (error?: Error) => void {
    const { promise, reject, resolve } = Promise.withResolvers<void>();
    promise.catch(() => {});
    this.load = async () => {
      await promise;
      return this.stored;
    };
    return (error) => (error === undefined ? resolve() : reject(error));
  }
}

/** Lets all go on that waits for nothing but promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
