import { ConcurrencyLimiter } from '../../contracts/concurrency/concurrency-limiter.ts';
import type { LoadedResource, Loader, LoadRequest } from '../cache/coherent-reader.ts';
import { DatabaseUnavailable } from '../database/errors.ts';
import type { CacheMetrics } from '../observability/metrics/counters.ts';
import type { UserRepository } from './repository.ts';
import { toSnapshot } from './representations.ts';

export interface UserLoaderParts {
  readonly repository: Pick<UserRepository, 'find'>;
  readonly readersMayLag: boolean;
  readonly metrics: CacheMetrics;
}

/**
 * Most concurrent reads of the writer that verify a possibly stale read. Above it the reader's result counts, so that neither random ids nor
 * an emptied
 * Redis can load the writer.
 */
const STALE_READS_MAXIMUM = 4;

/** Loads users from a reader, and from the writer when the reader is behind a known version. */
export class UserLoader implements Loader {
  readonly #parts: UserLoaderParts;
  readonly #staleReads = new ConcurrencyLimiter({
    concurrency: STALE_READS_MAXIMUM,
    maximumWaiting: 0,
  });

  constructor(parts: UserLoaderParts) {
    this.#parts = parts;
  }

  /** @throws `DatabaseUnavailable` when the required servers are down. */
  async load(
    id: number,
    { staleness, minimumVersion }: LoadRequest,
  ): Promise<LoadedResource | null> {
    const { metrics, readersMayLag } = this.#parts;
    if (!readersMayLag) return await this.#find(id, 'reader');
    if (staleness === 'everything') {
      const found = await this.#clearUp(id);
      if (found !== undefined) return found;
    }
    const found = await this.#find(id, 'reader');
    if ((found?.version ?? 0) < minimumVersion()) {
      metrics.readersBehind += 1;
      return await this.#find(id, 'writer');
    }
    if (found === null && staleness === 'absence') return (await this.#clearUp(id)) ?? null;
    return found;
  }

  /** The writer's result; undefined when the limit is reached or the writer is down. */
  async #clearUp(id: number): Promise<LoadedResource | null | undefined> {
    const slot = this.#staleReads.tryTake();
    if (slot === undefined) return undefined;
    try {
      return await this.#find(id, 'writer');
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) throw error;
      return undefined;
    } finally {
      this.#staleReads.free(slot);
    }
  }

  async #find(id: number, on: 'reader' | 'writer'): Promise<LoadedResource | null> {
    const { metrics, repository } = this.#parts;
    if (on === 'writer') metrics.writerLoads += 1;
    else metrics.readerLoads += 1;
    const user = await repository.find(id, on);
    return user === null ? null : toSnapshot(user);
  }
}
