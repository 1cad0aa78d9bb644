import type { Redis, Result } from 'ioredis';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { VersionedCache, VersionedEntry } from './versioned-cache.ts';

/**
 * An entry is its kind (one byte), its version in decimal digits, a line feed, and the body:
 * one GET brings all of it, and the body is sent as it is, without being parsed.
 */
const VALUE_KIND = 0x76; // v
const DELETED_KIND = 0x64; // d
const LINE_FEED = 0x0a;

/**
 * Sets KEYS[1] to ARGV[2], of version ARGV[1], for ARGV[3] milliseconds, unless a newer version is there, which is returned.
 * What cannot be read as an entry is replaced. Versions are compared as numbers, exact below 2^53.
 */
const RAISE_SCRIPT = `
local current = redis.call('GET', KEYS[1])
if current then
  local version = string.match(current, '^[vd](%d+)\\n')
  if version and tonumber(version) > tonumber(ARGV[1]) then return current end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return false
`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    raiseEntryBuffer(
      key: string,
      version: number,
      entry: Buffer,
      lifetimeMilliseconds: number,
    ): Result<Buffer | null, Context>;
  }
}

/**
 * Bounds how long an entry can be wrong that nobody could correct: when a process changed the row and died before it told Redis.
 * Every other change replaces the entry at once.
 */
const LIFETIME_MILLISECONDS = 60_000;
/** Share of the lifetime that is drawn at random, so that entries made together do not end together. */
const LIFETIME_JITTER = 0.2;

/** Failures in a row after which Redis is left alone, and for how long, so that a hanging one does not slow every read. */
const BREAKER = { failures: 5, openMilliseconds: 1_000 };

function encode({ version, body }: VersionedEntry): Buffer {
  const kind = body === null ? DELETED_KIND : VALUE_KIND;
  const head = Buffer.from(`${String.fromCharCode(kind)}${version}\n`, 'latin1');
  return body === null ? head : Buffer.concat([head, body]);
}

/** @returns null for what is not an entry, such as the work of another program. */
function decode(bytes: Buffer): VersionedEntry | null {
  const end = bytes.indexOf(LINE_FEED);
  const version = Number(bytes.toString('latin1', 1, end));
  if (end < 2 || !Number.isSafeInteger(version)) return null;
  if (bytes[0] === DELETED_KIND) return { version, body: null };
  return bytes[0] === VALUE_KIND ? { version, body: bytes.subarray(end + 1) } : null;
}

/** The shared cache in Redis. Each method is one command on one key, so that it works in a cluster too. */
export class RedisVersionedCache implements VersionedCache {
  readonly #redis: Redis;
  readonly #keyPrefix: string;
  readonly #breaker = new CircuitBreaker(BREAKER);

  /** @param keyPrefix - tells what is cached from all else in Redis; it must change when the bytes of bodies do. */
  constructor(redis: Redis, keyPrefix: string) {
    this.#redis = redis;
    this.#keyPrefix = keyPrefix;
    redis.defineCommand('raiseEntry', { numberOfKeys: 1, lua: RAISE_SCRIPT });
  }

  async get(id: number): Promise<VersionedEntry | null | undefined> {
    if (!this.#mayAsk()) return undefined;
    const bytes = await this.#answer(this.#redis.getBuffer(this.#keyPrefix + id));
    return bytes ? decode(bytes) : bytes;
  }

  async raise(id: number, entry: VersionedEntry): Promise<VersionedEntry | null | undefined> {
    if (!this.#mayAsk()) return undefined;
    const lifetime = LIFETIME_MILLISECONDS * (1 - LIFETIME_JITTER * Math.random());
    const newer = await this.#answer(
      this.#redis.raiseEntryBuffer(
        this.#keyPrefix + id,
        entry.version,
        encode(entry),
        Math.round(lifetime),
      ),
    );
    return newer ? decode(newer) : newer;
  }

  /** Whether Redis answers, for /health. */
  async isUp(): Promise<boolean> {
    return this.#redis.status === 'ready' && (await this.#answer(this.#redis.ping())) !== undefined;
  }

  #mayAsk(): boolean {
    return this.#redis.status === 'ready' && this.#breaker.allows();
  }

  /** Waits for a command; a failure of whatever kind is undefined, because no request fails for the cache's sake. */
  async #answer<Reply>(command: Promise<Reply>): Promise<Reply | undefined> {
    try {
      const reply = await command;
      this.#breaker.succeeded();
      return reply;
    } catch {
      this.#breaker.failed();
      return undefined;
    }
  }
}
