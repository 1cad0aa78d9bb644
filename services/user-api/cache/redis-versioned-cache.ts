import { Batcher } from '../../contracts/batching/batcher.ts';
import { currentSpan } from '../../contracts/tracing/trace-context.ts';
import { type ObservedRedis, sendsAtEndOfTick } from '../redis/observed-redis.ts';
import type { RedisClient } from '../redis/redis.ts';
import { RedisHealth } from '../redis/redis-health.ts';
import { encodeInvalidation } from './invalidation-feed.ts';
import { createSetIfNewer, decodeEntry, type EntryUpdate, headOf } from './redis-entries.ts';
import {
  type SetIfNewerOptions,
  type SharedEntry,
  UNKNOWN_VERSION,
  type VersionedCache,
  type VersionedEntry,
} from './versioned-cache.ts';

/**
 * Bounds how long an entry can be wrong that nobody could correct: when a process changed the row and died before it published the write.
 * Every other change replaces the entry at once.
 */
export const FRESH_MILLISECONDS = 60_000;
/** What is not there may be created any time; the creation replaces the entry, so this only bounds what probing costs. */
export const UNKNOWN_FRESH_MILLISECONDS = 5_000;
/** Share of the lifetime that is drawn at random, so that entries made together do not end together. */
const LIFETIME_JITTER = 0.2;
/**
 * How long what was written is kept as a minimum version for readers that are behind: longer than any replica is left behind, of which an
 * alarm warns within minutes.
 */
export const MINIMUM_VERSION_MILLISECONDS = 600_000;
/** Longer than a load takes, and short for the others if the process that has it dies. */
export const LEASE_MILLISECONDS = 500;

/** Timeouts in a row after which reads and fills skip Redis, so that a hanging one does not slow every read. */
const FAILURES_BEFORE_DOWN = 5;

/** So many keys at most in one command, during which Redis serves nobody else. */
const KEYS_MAXIMUM = 100;

export interface RedisVersionedCacheOptions {
  /** Separates these keys from all others in Redis, such as `user:`. */
  readonly keyPrefix: string;
  /** Names the bytes that bodies are made of; another name whenever they change. Up to 8 characters, no blanks. */
  readonly representation: string;
  /** Where processes are notified of writes. */
  readonly channel: string;
}

function lifetimeOf({ version, body }: VersionedEntry): number {
  const longest =
    body === null && version === UNKNOWN_VERSION ? UNKNOWN_FRESH_MILLISECONDS : FRESH_MILLISECONDS;
  return Math.round(longest * (1 - LIFETIME_JITTER * Math.random()));
}

/** A read of an entry. A callback rather than a promise, because reads are what a process does most. */
interface Lookup {
  readonly id: number;
  /** Called once, later, and outside of any trace, with undefined when Redis does not respond. Must not throw. */
  readonly settle: (entry: SharedEntry | null | undefined) => void;
}

/**
 * The shared cache in Redis. Each method is about one key, so that it works in a cluster too. Where there is no cluster, reads of the same tick of the
 * event loop are one command (MGET), because the client's work for a command is the most expensive part of a read.
 */
export class RedisVersionedCache implements VersionedCache {
  readonly #redis: RedisClient;
  readonly #options: RedisVersionedCacheOptions;
  readonly #health: RedisHealth;
  readonly #setIfNewer: (update: EntryUpdate) => Promise<Buffer | null>;
  /** Undefined in a cluster, where the keys of one command have to be in one slot. */
  readonly #lookups: Batcher<Lookup> | undefined;

  constructor(redis: RedisClient, options: RedisVersionedCacheOptions) {
    this.#redis = redis;
    this.#options = options;
    this.#setIfNewer = createSetIfNewer(redis, options.channel);
    this.#health = new RedisHealth({ probe: () => redis.ping(), failures: FAILURES_BEFORE_DOWN });
    if (!sendsAtEndOfTick(redis)) return;
    this.#lookups = new Batcher({
      maximum: KEYS_MAXIMUM,
      atEndOfTick: (flush) => redis.beforeSending(flush),
      run: (lookups) => void this.#lookUpAll(redis, lookups),
    });
  }

  get(id: number): Promise<SharedEntry | null | undefined> {
    return new Promise((resolve) => this.lookUp(id, resolve));
  }

  lookUp(id: number, settle: Lookup['settle']): void {
    if (!this.#isCallAllowed()) settle(undefined);
    // In a recorded trace the command is a span of this request alone.
    else if (this.#lookups !== undefined && currentSpan() === undefined) {
      this.#lookups.add({ id, settle });
    } else {
      void this.#response(this.#redis.getBuffer(this.#key(id))).then((bytes) =>
        settle(this.#decode(bytes)),
      );
    }
  }

  async setIfNewer(
    id: number,
    entry: VersionedEntry,
    { origin, loadMilliseconds = 1 }: SetIfNewerOptions,
  ): Promise<SharedEntry | null | undefined> {
    const isWrite = origin !== 'load';
    // Timeouts that made reads skip Redis must not keep an acknowledged write from other processes.
    if (isWrite ? !this.#isConnected : !this.#isCallAllowed()) return undefined;
    const fresh = origin === 'earlier write' ? 0 : lifetimeOf(entry);
    const stored = this.#setIfNewer({
      key: this.#key(id),
      version: entry.version,
      head: headOf(entry, this.#options.representation),
      freshMilliseconds: fresh,
      keptMilliseconds: isWrite ? MINIMUM_VERSION_MILLISECONDS : fresh,
      loadMilliseconds: Math.max(1, Math.ceil(loadMilliseconds)),
      body: entry.body,
      message: isWrite ? encodeInvalidation(id, entry.version) : '',
    });
    const newer = await (isWrite ? stored.catch(() => undefined) : this.#response(stored));
    return this.#decode(newer);
  }

  async lease(id: number): Promise<boolean> {
    if (!this.#isCallAllowed()) return true;
    const leased = this.#redis.set(`${this.#key(id)}:lease`, '', 'PX', LEASE_MILLISECONDS, 'NX');
    return (await this.#response(leased)) !== null;
  }

  /** Whether Redis replies, for `/health`. */
  async isUp(): Promise<boolean> {
    return this.#isConnected && (await this.#response(this.#redis.ping())) !== undefined;
  }

  /** Ends the probes of a Redis that is down. */
  close(): void {
    this.#health.close();
  }

  async #lookUpAll(redis: ObservedRedis, lookups: readonly Lookup[]): Promise<void> {
    const entries = await this.#response(redis.mgetBuffer(lookups.map(({ id }) => this.#key(id))));
    for (const [index, { settle }] of lookups.entries()) {
      settle(entries === undefined ? undefined : (this.#decode(entries[index]) ?? null));
    }
  }

  #key(id: number): string {
    return this.#options.keyPrefix + id;
  }

  #decode(bytes: Buffer | null | undefined): SharedEntry | null | undefined {
    return bytes ? decodeEntry(bytes, this.#options.representation, Date.now()) : bytes;
  }

  get #isConnected(): boolean {
    return this.#redis.status === 'ready';
  }

  #isCallAllowed(): boolean {
    return this.#isConnected && this.#health.isUp;
  }

  /** Waits for a command; a failure of whatever kind is undefined, because no request fails for the cache's sake. */
  async #response<Reply>(command: Promise<Reply>): Promise<Reply | undefined> {
    try {
      const reply = await command;
      this.#health.succeeded();
      return reply;
    } catch (error) {
      this.#health.failed(error);
      return undefined;
    }
  }
}
