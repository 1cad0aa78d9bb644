import type { CacheMetrics } from '../observability/metrics/counters.ts';
import type { KnownVersions } from './known-versions.ts';
import { SerializedResponse } from './serialized-response.ts';
import { SieveCache, SieveEntry } from './sieve-cache.ts';
import type { VersionedEntry } from './versioned-cache.ts';

/**
 * Probabilistic early expiration, "XFetch": Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede
 * Prevention", PVLDB 8(8), 2015 (https://www.vldb.org/pvldb/vol8/p886-vattani.pdf), algorithm 1 with β = 1. An entry that takes δ to load
 * is loaded again `δ × -ln(random)` before it ends, drawn at each use. An entry that is used much is so renewed by one of its users before
 * all of them would have to wait, an entry that is used rarely is not renewed at all, and processes don't do it at the same time.
 */
export function refreshesEarly(
  now: number,
  end: number,
  loadMilliseconds: number,
  random: () => number = Math.random,
): boolean {
  // 1 - random is never 0, of which the logarithm would be infinite.
  return now - loadMilliseconds * Math.log(1 - random()) >= end;
}

/** One draw in 10,000 lies further from the end than this many times δ: before that, drawing is not worth its time. */
const LONGEST_DRAW = -Math.log(1 / 10_000);

/** From when on {@link refreshesEarly} is worth asking. */
export function earliestRefresh(end: number, loadMilliseconds: number): number {
  return end - LONGEST_DRAW * loadMilliseconds;
}

/**
 * How long an entry lives, at most, since its load began: the bound on how long it can be out of date when an invalidation message is
 * lost unnoticed. Long enough that an entry in use is asked of Redis rarely, once in some 5 seconds.
 */
export const NEAR_LIFETIME_MILLISECONDS = 5_000;
/** Share of it that is drawn at random, so that entries made together do not end together. */
const LIFETIME_JITTER = 0.2;
/** An entry that seems to have taken no time to load would never be loaded early. */
const MINIMUM_LOAD_MILLISECONDS = 0.1;

/**
 * What an entry takes in memory besides its bytes, as measured (docs/cache.md): the entry, its place in the map, the response, and
 * the heads of its strings.
 */
export const NEAR_ENTRY_OVERHEAD_BYTES = 512;
/**
 * What another representation adds to that, so that both together cover what an entry with one takes besides its bytes, as measured: up to 730.
 */
export const DERIVED_OVERHEAD_BYTES = 256;

/** When an entry was loaded, and until when it may be used; milliseconds by the clock of the near cache. */
export interface NearTimes {
  readonly endsAt: number;
  /** How long the load took. */
  readonly loadMilliseconds: number;
}

/** A resource in this process's memory, serialized. */
export class NearEntry extends SieveEntry<number> {
  readonly version: number;
  /** The body of the shared cache; null when there is no such resource. */
  readonly response: SerializedResponse | null;
  readonly endsAt: number;
  readonly loadMilliseconds: number;
  /** From when on it may be loaded again; infinite once that has begun. */
  refreshFrom: number;
  /** Other ways to show it, by name. */
  #derived: Map<string, SerializedResponse> | undefined;

  constructor(id: number, { version, body }: VersionedEntry, times: NearTimes) {
    const response = body === null ? null : new SerializedResponse(body, versionTag(version));
    // Compressed here, where nobody waits for it.
    void response?.gzip;
    super(id, NEAR_ENTRY_OVERHEAD_BYTES + (response?.size ?? 0));
    this.version = version;
    this.response = response;
    this.endsAt = times.endsAt;
    this.loadMilliseconds = times.loadMilliseconds;
    this.refreshFrom = earliestRefresh(times.endsAt, times.loadMilliseconds);
  }

  derived(name: string): SerializedResponse | undefined {
    return this.#derived?.get(name);
  }

  /** @returns the bytes that it takes. */
  addDerived(name: string, response: SerializedResponse): number {
    this.#derived ??= new Map();
    this.#derived.set(name, response);
    return DERIVED_OVERHEAD_BYTES + response.size;
  }
}

/** What stands in the ETag of a version. */
export function versionTag(version: number): string {
  return `v${version}`;
}

/** Another way to show a resource than the one that the shared cache holds, such as without what is private. */
export interface DerivedRepresentation {
  readonly name: string;
  /** @param full - the body that the shared cache holds; as is what it gives, a byte in each character. */
  textOf(full: string): string;
  /** What stands in the ETag: another one than that of other representations of the version. */
  tagOf(version: number): string;
}

/** Records when a load began, so that invalidations during the load count. */
export interface FillTicket {
  readonly opening: number;
  readonly forgotten: number;
  readonly beganAt: number;
}

export interface NearCacheOptions {
  /** Bound on the memory of all entries, in bytes; see {@link NEAR_ENTRY_OVERHEAD_BYTES}. 0: none is kept. */
  readonly maximumBytes: number;
  readonly knownVersions: KnownVersions;
  readonly metrics: CacheMetrics;
  /** @default 5,000 */
  readonly lifetimeMilliseconds?: number;
  /** Milliseconds since any moment. @default performance.now */
  readonly clock?: () => number;
}

/**
 * Resources in this process's memory as serialized responses. It is open only while this process is notified of every write; closed, it is empty and
 * takes nothing in. An entry is out of date at most until the invalidation message arrives.
 *
 * A load is put in with a ticket from before it began, and is refused when a newer version has become known since, or the
 * cache was closed, so that a slow one cannot bring back what has been changed.
 */
export class NearCache {
  readonly #entries: SieveCache<number, NearEntry>;
  readonly #knownVersions: KnownVersions;
  readonly #metrics: CacheMetrics;
  readonly #lifetime: number;
  readonly #clock: () => number;
  #isOpen = false;
  #openSince = 0;
  #opening = 0;
  #refresh: (id: number) => void = () => {};

  constructor(options: NearCacheOptions) {
    this.#entries = new SieveCache(options.maximumBytes);
    this.#knownVersions = options.knownVersions;
    this.#metrics = options.metrics;
    this.#lifetime = options.lifetimeMilliseconds ?? NEAR_LIFETIME_MILLISECONDS;
    this.#clock = options.clock ?? (() => performance.now());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Since when this process is notified of every write, by the clock of {@link now}. */
  get openSince(): number {
    return this.#openSince;
  }

  now(): number {
    return this.#clock();
  }

  get count(): number {
    return this.#entries.count;
  }

  get bytes(): number {
    return this.#entries.bytes;
  }

  get evictions(): number {
    return this.#entries.evictions;
  }

  /** Sets what loads an entry again when it is about to end. It must not throw. */
  onRefresh(refresh: (id: number) => void): void {
    this.#refresh = refresh;
  }

  /** From now on this process is notified of every write. */
  open(): void {
    this.#isOpen = true;
    this.#openSince = this.#clock();
    this.#opening += 1;
  }

  /** This process may miss writes from now on: nothing that is here may be served. */
  close(): void {
    this.#isOpen = false;
    this.#entries.clear();
  }

  /** The entry. This is all that a hit costs. */
  get(id: number): NearEntry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    const now = this.#clock();
    return now < entry.refreshFrom ? entry : this.#late(entry, now);
  }

  /** To be taken before a load begins. */
  ticket(): FillTicket {
    return {
      opening: this.#opening,
      forgotten: this.#knownVersions.forgotten,
      beganAt: this.#clock(),
    };
  }

  /** Whether what a load has brought is not out of date by now, as far as this process can be sure. */
  wouldTake(id: number, version: number, ticket: FillTicket): boolean {
    if (!this.#isOpen || ticket.opening !== this.#opening) return false;
    // Versions known since then may have been forgotten already.
    if (this.#knownVersions.forgotten - ticket.forgotten > 1) return false;
    if (version < this.#knownVersions.minimumVersion(id)) return false;
    return version >= (this.#entries.peek(id)?.version ?? 0);
  }

  /** Takes in what a load has brought, unless it may be out of date by now. */
  fill(id: number, entry: VersionedEntry, ticket: FillTicket): void {
    if (this.#entries.maximumBytes < NEAR_ENTRY_OVERHEAD_BYTES) return;
    if (!this.wouldTake(id, entry.version, ticket)) {
      this.#metrics.nearFillsRefused += 1;
      return;
    }
    const lifetime = this.#lifetime * (1 - LIFETIME_JITTER * Math.random());
    const took = this.#clock() - ticket.beganAt;
    this.#entries.set(
      new NearEntry(id, entry, {
        endsAt: ticket.beganAt + lifetime,
        loadMilliseconds: Math.max(took, MINIMUM_LOAD_MILLISECONDS),
      }),
    );
  }

  /** Takes in what this process has written. */
  write(id: number, entry: VersionedEntry): void {
    this.record(id, entry.version);
    this.fill(id, entry, this.ticket());
  }

  /** Drops what is older than a version that has been written, here or elsewhere. */
  record(id: number, version: number): void {
    this.#knownVersions.record(id, version);
    const entry = this.#entries.peek(id);
    if (entry === undefined || entry.version >= version) return;
    this.#entries.delete(id);
    this.#metrics.invalidated += 1;
  }

  /** The entry's response in another representation, made when it is first asked for; null when there is no such resource. */
  derive(
    entry: NearEntry,
    { name, tagOf, textOf }: DerivedRepresentation,
  ): SerializedResponse | null {
    if (entry.response === null) return null;
    const known = entry.derived(name);
    if (known !== undefined) return known;
    const body = Buffer.from(textOf(entry.response.text), 'latin1');
    const made = new SerializedResponse(body, tagOf(entry.version));
    void made.gzip;
    const bytes = entry.addDerived(name, made);
    if (this.#entries.peek(entry.key) === entry) this.#entries.grew(entry, bytes);
    return made;
  }

  #late(entry: NearEntry, now: number): NearEntry | undefined {
    if (now >= entry.endsAt) {
      this.#entries.delete(entry.key);
      return undefined;
    }
    if (refreshesEarly(now, entry.endsAt, entry.loadMilliseconds)) {
      entry.refreshFrom = entry.endsAt;
      this.#refresh(entry.key);
    }
    return entry;
  }
}
