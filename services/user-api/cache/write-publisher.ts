import { outsideTrace } from '../../contracts/tracing/trace-context.ts';
import type { RecentWrites } from './known-versions.ts';
import type { VersionedCache, VersionedEntry } from './versioned-cache.ts';

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
