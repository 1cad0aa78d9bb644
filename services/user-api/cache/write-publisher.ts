import type { RecentWrites } from './recent-writes.ts';
import type { VersionedCache, VersionedEntry } from './versioned-cache.ts';

/** How often the shared cache is told again what it may have missed, in milliseconds. */
const RETRY_INTERVAL_MILLISECONDS = 250;

/**
 * Tells of writes: this process at once, and the shared cache before the write is answered, so that from the answer on nobody
 * reads anything older. What the shared cache could not be told, it is told again until it answers; for so long,
 * others may read an older version from it.
 */
export class WritePublisher {
  readonly #cache: VersionedCache | null;
  readonly #recentWrites: RecentWrites;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(cache: VersionedCache | null, recentWrites: RecentWrites) {
    this.#cache = cache;
    this.#recentWrites = recentWrites;
  }

  /** Never throws: the write has been done. */
  async publish(id: number, entry: VersionedEntry): Promise<void> {
    this.#recentWrites.record(id, entry);
    if (!(await this.#share(id, entry))) this.#retryLater();
  }

  /** Stops telling again. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  async #share(id: number, { version, body }: VersionedEntry): Promise<boolean> {
    const told = this.#cache === null ? null : await this.#cache.raise(id, { version, body });
    if (told === undefined) return false;
    this.#recentWrites.markShared(id, version);
    return true;
  }

  #retryLater(): void {
    if (this.#closed) return;
    this.#retry ??= setTimeout(() => {
      void this.#shareMissed().then((done) => {
        this.#retry = undefined;
        if (!done) this.#retryLater();
      });
    }, RETRY_INTERVAL_MILLISECONDS).unref();
  }

  async #shareMissed(): Promise<boolean> {
    for (const [id, entry] of this.#recentWrites.unshared()) {
      // The first that fails speaks for the others.
      if (!(await this.#share(id, entry))) return false;
    }
    return true;
  }
}
