import type { VersionedEntry } from './versioned-cache.ts';

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

const MAXIMUM = 10_000;
/** Longer than an entry lives in the shared cache that was put there after the write from a reader still behind it. */
const KEPT_MILLISECONDS = 120_000;

/**
 * What this process has written lately: the version below which it does not answer, with or without a shared cache. So
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
    this.#maximum = options.maximum ?? MAXIMUM;
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

  /** The newest write of `id` that is remembered: nothing older may be answered. */
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

  /** The writes that the shared cache may not have; it may answer with something older. */
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
