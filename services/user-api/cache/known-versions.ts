import type { VersionedEntry } from './versioned-cache.ts';

export interface KnownVersionsOptions {
  /** Most ids in each of the two halves. @default 65,536, some 5 MB for both */
  readonly maximum?: number;
  /** Longest that a half is filled, in milliseconds. @default 60,000 */
  readonly fillMilliseconds?: number;
  /** Milliseconds since any moment. @default performance.now */
  readonly clock?: () => number;
}

const MAXIMUM = 65_536;
const FILL_MILLISECONDS = 60_000;

/**
 * The newest version of each resource that this process has lately written or been notified of: nothing older is the truth, whatever a
 * cache or a reader says.
 *
 * It has two halves. The younger one is filled; when it is full, or old, it takes the place of the older one, which is
 * forgotten as a whole. So it is bounded, without a timer or a time for each id, and it can tell since when it has forgotten nothing.
 */
export class KnownVersions {
  readonly #maximum: number;
  readonly #fillMilliseconds: number;
  readonly #clock: () => number;
  #younger = new Map<number, number>();
  #older = new Map<number, number>();
  #youngerSince: number;
  #olderSince: number;
  #forgotten = 0;

  constructor(options: KnownVersionsOptions = {}) {
    this.#maximum = options.maximum ?? MAXIMUM;
    this.#fillMilliseconds = options.fillMilliseconds ?? FILL_MILLISECONDS;
    this.#clock = options.clock ?? (() => performance.now());
    this.#youngerSince = this.#clock();
    this.#olderSince = this.#youngerSince;
  }

  /** How often a half has been forgotten. Versions recorded since it was one less are all there. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Since when nothing has been forgotten, by the clock. */
  get completeSince(): number {
    return this.#olderSince;
  }

  record(id: number, version: number): void {
    if (version <= this.minimumVersion(id)) return;
    this.#younger.set(id, version);
    const now = this.#clock();
    if (this.#younger.size < this.#maximum && now - this.#youngerSince < this.#fillMilliseconds) {
      return;
    }
    this.#older = this.#younger;
    this.#olderSince = this.#youngerSince;
    this.#younger = new Map();
    this.#youngerSince = now;
    this.#forgotten += 1;
  }

  /** The newest version of `id` that is remembered; 0 when none is. */
  minimumVersion(id: number): number {
    return this.#younger.get(id) ?? this.#older.get(id) ?? 0;
  }
}

interface RecentWrite {
  readonly entry: VersionedEntry;
  readonly writtenAt: number;
}

export interface RecentWritesOptions {
  /** Most writes that are remembered; the oldest go first. @default 10000, some 5 MB */
  readonly maximum?: number;
  /** How long a write is remembered, in milliseconds. @default 120000 */
  readonly keptMilliseconds?: number;
}

const WRITES_MAXIMUM = 10_000;
/** Longer than an entry lives in the shared cache that was put there after the write from a reader still behind it. */
const KEPT_MILLISECONDS = 120_000;

/**
 * What this process has written lately: the version below which it serves nothing, with or without a shared cache. So
 * a client reads its own writes while a reader is behind or the shared cache is away.
 */
export class RecentWrites {
  readonly #maximum: number;
  readonly #kept: number;
  /** In the order of writing: the oldest come first. */
  readonly #writes = new Map<number, RecentWrite>();
  /**
   * Goes through the writes as they are forgotten, so that it stands at the oldest: one that begins again has to pass by the places of all that are
   * gone, some thousands, before V8 makes a new table.
   */
  #order = this.#writes.entries();
  /** The oldest write, if {@link #order} has come to it and it is still one. */
  #oldest: readonly [id: number, write: RecentWrite] | undefined;
  readonly #unshared = new Set<number>();

  constructor(options: RecentWritesOptions = {}) {
    this.#maximum = options.maximum ?? WRITES_MAXIMUM;
    this.#kept = options.keptMilliseconds ?? KEPT_MILLISECONDS;
  }

  /** Remembers a write, unless a newer one of the same resource is remembered. It counts as not shared. */
  record(id: number, entry: VersionedEntry): void {
    const known = this.#writes.get(id);
    if (known !== undefined && known.entry.version >= entry.version) return;
    // Deleted first, so that it moves to the end.
    this.#writes.delete(id);
    this.#writes.set(id, { entry, writtenAt: performance.now() });
    this.#unshared.add(id);
    this.#forgetOldest();
  }

  /** The newest write of `id` that is remembered: nothing older may be served. */
  newest(id: number): VersionedEntry | undefined {
    const write = this.#writes.get(id);
    if (write === undefined) return undefined;
    return performance.now() - write.writtenAt < this.#kept ? write.entry : undefined;
  }

  /** Notes that the shared cache has `version` of `id`, or a newer one. */
  markShared(id: number, version: number): void {
    if (this.#writes.get(id)?.entry.version === version) this.#unshared.delete(id);
  }

  /** Whether the shared cache may lack a write that is remembered. */
  get hasUnshared(): boolean {
    return this.#unshared.size > 0;
  }

  /** Notes that the shared cache did not take a write: others are retried before it. */
  retryLast(id: number): void {
    if (this.#unshared.delete(id)) this.#unshared.add(id);
  }

  /** Notes that the shared cache may have lost everything. */
  unshareAll(): void {
    for (const id of this.#writes.keys()) this.#unshared.add(id);
  }

  /** The writes that the shared cache may not have; it may serve something older. */
  *unshared(): Generator<readonly [id: number, entry: VersionedEntry], void> {
    for (const id of this.#unshared) {
      const entry = this.newest(id);
      if (entry === undefined) this.#unshared.delete(id);
      else yield [id, entry];
    }
  }

  #forgetOldest(): void {
    const oldestKept = performance.now() - this.#kept;
    while (this.#writes.size > 0) {
      const [id, write] = this.#findOldest();
      if (write.writtenAt >= oldestKept && this.#writes.size <= this.#maximum) return;
      this.#writes.delete(id);
      this.#unshared.delete(id);
    }
  }

  /** Only while there is one. */
  #findOldest(): readonly [id: number, write: RecentWrite] {
    let oldest = this.#oldest;
    while (oldest === undefined || this.#writes.get(oldest[0]) !== oldest[1]) {
      const next = this.#order.next();
      if (next.done === true) this.#order = this.#writes.entries();
      else oldest = next.value;
    }
    this.#oldest = oldest;
    return oldest;
  }
}
