import { outsideTrace } from '../../contracts/tracing/trace-context.ts';
import type { RecentWrites } from './recent-writes.ts';
import type { VersionedCache, VersionedEntry } from './versioned-cache.ts';

/** How often the shared cache is told again what it may have missed, in milliseconds. */
const RETRY_INTERVAL_MILLISECONDS = 250;
/** How many writes are told again at once. */
const RETRIES_AT_ONCE = 100;

export interface WritePublisherParts {
  /** The cache that all processes share; null when there is none. */
  readonly cache: VersionedCache | null;
  readonly recentWrites: RecentWrites;
  /** Puts a write into the caches of this process. */
  readonly onWrite: (id: number, entry: VersionedEntry) => void;
}

/**
 * Tells of writes: this process at once, and the shared cache, and with it all other processes, before the write is answered, so that from
 * the answer on nobody reads anything older from there. What the shared cache could not be told, it is told again until it answers;
 * for so long, others may read an older version from it.
 */
export class WritePublisher {
  readonly #parts: WritePublisherParts;
  #retry: NodeJS.Timeout | undefined;
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
    if (!isShared) this.#retryAfter(RETRY_INTERVAL_MILLISECONDS);
  }

  /**
   * Tells the shared cache of all recent writes again. To be called when its connection was lost and is back: it may have been restarted
   * empty, or be a replica that the last writes had not reached.
   */
  publishAgain(): void {
    this.#parts.recentWrites.unshareAll();
    this.#retryAfter(0);
  }

  /** Stops telling again. */
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
    const told = cache === null ? null : await cache.raise(id, { version, body }, { origin });
    if (told === undefined) return false;
    recentWrites.markShared(id, version);
    return true;
  }

  #retryAfter(milliseconds: number): void {
    if (this.#closed) return;
    const retry = () => {
      void this.#shareMissed().then((done) => {
        this.#retry = undefined;
        if (!done) this.#retryAfter(RETRY_INTERVAL_MILLISECONDS);
      });
    };
    // It is for writes of many requests, and may go on long after them.
    this.#retry ??= outsideTrace(() => setTimeout(retry, milliseconds).unref());
  }

  /** @returns whether the shared cache has all of them; the first that it does not answer speak for the others. */
  async #shareMissed(): Promise<boolean> {
    let shares: Promise<boolean>[] = [];
    const allTaken = async () => {
      const taken = await Promise.all(shares);
      shares = [];
      return taken.every(Boolean);
    };
    for (const [id, entry] of this.#parts.recentWrites.unshared()) {
      shares.push(this.#share(id, entry, 'earlier write'));
      if (shares.length === RETRIES_AT_ONCE && !(await allTaken())) return false;
    }
    return await allTaken();
  }
}
