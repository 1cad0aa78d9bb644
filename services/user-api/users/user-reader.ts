import type { User } from '../../contracts/users.ts';
import type { RecentWrites } from '../cache/recent-writes.ts';
import type { VersionedCache, VersionedEntry } from '../cache/versioned-cache.ts';
import { DatabaseUnavailable } from '../database/errors.ts';
import type { UserRepository } from './repository.ts';

/** A user as it is answered: the version for the ETag, and the bytes of the body. */
export interface UserSnapshot {
  readonly version: number;
  readonly body: Uint8Array;
}

const encoder = new TextEncoder();

/** The user as the API gives it, made once and then kept and sent as it is. */
export function toSnapshot(user: User): UserSnapshot {
  return { version: user.version, body: encoder.encode(JSON.stringify(user)) };
}

/** An entry as it is answered; null for a deletion. */
function answerOf({ version, body }: VersionedEntry): UserSnapshot | null {
  return body === null ? null : { version, body };
}

export interface UserReaderParts {
  readonly repository: Pick<UserRepository, 'find'>;
  /** Whether reads from the database may be behind writes. */
  readonly readersMayLag: boolean;
  /** The cache that all processes share; null when there is none. */
  readonly cache: VersionedCache | null;
  readonly recentWrites: RecentWrites;
}

/**
 * Most questions at once to the writer about ids that a reader does not know, while no shared cache can tell whether they were
 * just created. Above that a reader's word is taken, so that whoever tries ids at random cannot load the writer.
 */
const UNKNOWN_ON_WRITER_MAXIMUM = 4;

/**
 * Reads single users: shared cache, then a reader, then the writer when the reader is behind what is known to have been written.
 * A cache in this process's memory has its place in front of `read`.
 */
export class UserReader {
  readonly #repository: UserReaderParts['repository'];
  readonly #readersMayLag: boolean;
  readonly #cache: VersionedCache | null;
  readonly #recentWrites: RecentWrites;
  #unknownOnWriter = 0;

  constructor(parts: UserReaderParts) {
    this.#repository = parts.repository;
    this.#readersMayLag = parts.readersMayLag;
    this.#cache = parts.cache;
    this.#recentWrites = parts.recentWrites;
  }

  /**
   * @returns the user, at least as new as what this process or the shared cache knows of; null when there is none.
   * @throws `DatabaseUnavailable` when no server of the database answers and the cache cannot.
   */
  async read(id: number): Promise<UserSnapshot | null> {
    const floor = this.#recentWrites.floor(id);
    // Ids are never used again: what is deleted stays so.
    if (floor?.body === null) return null;
    const cached = await this.#cache?.get(id);
    if (cached && cached.version >= (floor?.version ?? 0)) return answerOf(cached);
    const found = await this.#load(id, floor, cached !== undefined);
    // A cache that has just not answered is not asked again.
    if (found === null || cached === undefined) return found;
    // A newer entry may have come while we were reading: then the reader was behind.
    const newer = await this.#cache?.raise(id, found);
    return newer ? answerOf(newer) : found;
  }

  async #load(
    id: number,
    floor: VersionedEntry | undefined,
    cacheAnswered: boolean,
  ): Promise<UserSnapshot | null> {
    const found = await this.#find(id, 'reader');
    if (!this.#readersMayLag) return found;
    if (floor !== undefined) {
      return (found?.version ?? 0) >= floor.version ? found : await this.#atLeast(floor, id);
    }
    // The cache knows of everything written lately; without it, a user that was just created may not have reached the reader.
    return found === null && !cacheAnswered ? await this.#findOnWriter(id) : found;
  }

  /** The user as the writer has it; and when the writer is away, as this process last wrote it. */
  async #atLeast(floor: VersionedEntry, id: number): Promise<UserSnapshot | null> {
    try {
      return await this.#find(id, 'writer');
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) throw error;
      return answerOf(floor);
    }
  }

  async #findOnWriter(id: number): Promise<UserSnapshot | null> {
    if (this.#unknownOnWriter >= UNKNOWN_ON_WRITER_MAXIMUM) return null;
    this.#unknownOnWriter += 1;
    try {
      return await this.#find(id, 'writer');
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) throw error;
      return null;
    } finally {
      this.#unknownOnWriter -= 1;
    }
  }

  async #find(id: number, on: 'reader' | 'writer'): Promise<UserSnapshot | null> {
    const user = await this.#repository.find(id, on);
    return user === null ? null : toSnapshot(user);
  }
}
