import { outsideTrace } from '../../contracts/tracing/trace-context.ts';
import type { VersionedCache, VersionedEntry } from './versioned-cache.ts';

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

/** First pause before missed writes are retried, in milliseconds; doubled after each round in which none was taken. */
export const RETRY_INTERVAL_MILLISECONDS = 250;
/** Longest such pause, so that a Redis that is full is not kept busy with retries. */
const LONGEST_RETRY_INTERVAL_MILLISECONDS = 1_000;
/** Retries in flight at once. */
const RETRIES_AT_ONCE = 100;

export interface WritePublisherParts {
  /** The cache that all processes share; null when there is none. */
  readonly cache: VersionedCache | null;
  readonly recentWrites: RecentWrites;
  /** Puts a write into the caches of this process. */
  readonly onWrite: (id: number, entry: VersionedEntry) => void;
}

/**
 * Publishes writes before the response: to this process, and through the shared cache to all others, so that no later read returns
 * anything older. What the shared cache did not take is retried; until then, others may read an older version from it.
 */
export class WritePublisher {
  readonly #parts: WritePublisherParts;
  #retry: NodeJS.Timeout | undefined;
  #pause = RETRY_INTERVAL_MILLISECONDS;
  #closed = false;

  constructor(parts: WritePublisherParts) {
    this.#parts = parts;
  }

  /** Never throws: the write has been done. */
  async publish(id: number, entry: VersionedEntry): Promise<void> {
    const { onWrite, recentWrites } = this.#parts;
    recentWrites.record(id, entry);
    onWrite(id, entry);
    const isShared = await this.#share(id, entry, 'write');
    if (!isShared) this.#retryAfter(this.#pause);
  }

  /**
   * Publishes all recent writes to the shared cache again. To be called when its connection was lost and is back: it may have been restarted
   * empty, or be a replica that the last writes had not reached.
   */
  publishAgain(): void {
    this.#parts.recentWrites.unshareAll();
    this.#retryAfter(0);
  }

  /** Stops the retries. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  async #share(
    id: number,
    { version, body }: VersionedEntry,
    origin: 'write' | 'earlier write',
  ): Promise<boolean> {
    const { cache, recentWrites } = this.#parts;
    const known = cache === null ? null : await cache.setIfNewer(id, { version, body }, { origin });
    if (known === undefined) {
      recentWrites.retryLast(id);
      return false;
    }
    recentWrites.markShared(id, version);
    return true;
  }

  #retryAfter(milliseconds: number): void {
    if (this.#closed) return;
    const retry = () => {
      void this.#shareMissed().then((isTaken) => {
        this.#retry = undefined;
        this.#pause = isTaken
          ? RETRY_INTERVAL_MILLISECONDS
          : Math.min(2 * this.#pause, LONGEST_RETRY_INTERVAL_MILLISECONDS);
        // Writes may have been missed while this round was in flight.
        if (this.#parts.recentWrites.hasUnshared) this.#retryAfter(this.#pause);
      });
    };
    // It is for writes of many requests, and may go on long after them.
    this.#retry ??= outsideTrace(() => setTimeout(retry, milliseconds).unref());
  }

  /**
   * Retries each missed write once. It stops after a batch of which none was taken; those come last in the next round, so that writes for a
   * cluster's node that is away hold up no others.
   *
   * @returns whether the shared cache took any of the last batch.
   */
  async #shareMissed(): Promise<boolean> {
    const missed = [...this.#parts.recentWrites.unshared()];
    for (let start = 0; start < missed.length; start += RETRIES_AT_ONCE) {
      const batch = missed.slice(start, start + RETRIES_AT_ONCE);
      const taken = await Promise.all(
        batch.map(([id, entry]) => this.#share(id, entry, 'earlier write')),
      );
      if (!taken.includes(true)) return false;
    }
    return true;
  }
}
