import { ConcurrencyLimiter } from '../../../contracts/concurrency/concurrency-limiter.ts';
import { DatabaseUnavailable } from '../../database/errors.ts';
import type { FailureLimiter } from '../../rate-limit/failure-limiter.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { ApiKeyGrant, ApiKeyRepository } from './api-key-repository.ts';
import { apiKeyHash, isApiKeyText } from './api-key-text.ts';
import type { ApiKeyUses } from './api-key-uses.ts';

/** How long a grant is used without a query. Not a bound on revocation, which is published at once. */
const FRESH_MILLISECONDS = 60_000;
/** How long a grant is used while no database is available. */
const USABLE_MILLISECONDS = 600_000;
/** How long an unknown key is not looked up again. */
const UNKNOWN_MILLISECONDS = 5_000;
/** Cached keys, about 300 bytes each. */
const CAPACITY = 10_000;
/**
 * Most concurrent lookups at the writer of keys that a reader does not know. Above it the reader's result counts, so that made-up keys
 * cannot load the writer.
 */
const UNKNOWN_ON_WRITER_MAXIMUM = 4;

interface Known {
  readonly grant: ApiKeyGrant;
  /** In milliseconds of `performance.now()`. */
  readonly loadedAt: number;
}

export interface ApiKeyVerifierParts {
  readonly repository: Pick<ApiKeyRepository, 'findGrant'>;
  readonly revocations: Revocations;
  readonly uses: Pick<ApiKeyUses, 'record'>;
  /** Limits lookups of unknown keys by address. */
  readonly unknownKeys: Pick<FailureLimiter, 'attempt'>;
}

/** Verifies keys from a cache of grants, by hash. */
export class ApiKeyVerifier {
  readonly #parts: ApiKeyVerifierParts;
  readonly #known = new Map<string, Known>();
  readonly #unknown = new Map<string, number>();
  readonly #loads = new Map<string, Promise<ApiKeyGrant | null>>();
  readonly #unknownOnWriter = new ConcurrencyLimiter({
    concurrency: UNKNOWN_ON_WRITER_MAXIMUM,
    maximumWaiting: 0,
  });

  constructor(parts: ApiKeyVerifierParts) {
    this.#parts = parts;
  }

  /**
   * @returns the grant, synchronously if cached; null when the key is not valid.
   * @param address - of the client: failed lookups count there.
   * @throws `RateLimitExceeded`, synchronously, before a lookup; `DatabaseUnavailable` when a lookup is needed and no server is available.
   */
  verify(key: string, address: string): ApiKeyGrant | null | Promise<ApiKeyGrant | null> {
    const hash = apiKeyHash(key);
    const known = this.#known.get(hash);
    if (known !== undefined && performance.now() - known.loadedAt < FRESH_MILLISECONDS) {
      const verdict = this.#judge(known.grant);
      if (verdict === 'good') return this.#used(known.grant);
      if (verdict === 'ended') return null;
    }
    if (known === undefined && (this.#isUnknown(hash) || !isApiKeyText(key))) return null;
    const running = this.#loads.get(hash);
    if (running !== undefined) return running;
    // A key that was valid before is not a guess.
    if (known !== undefined) return this.#load(hash, known);
    const attempt = this.#parts.unknownKeys.attempt(address);
    return this.#load(hash, known).then(
      (grant) => {
        if (grant !== null) attempt.withdraw();
        return grant;
      },
      (error: unknown) => {
        attempt.withdraw();
        throw error;
      },
    );
  }

  /** 'outdated': the owner has changed since it was loaded. */
  #judge(grant: ApiKeyGrant): 'good' | 'ended' | 'outdated' {
    const { revocations } = this.#parts;
    if (revocations.isApiKeyRevoked(grant.apiKeyId) || grant.expiresAt <= Date.now())
      return 'ended';
    if (grant.generation < revocations.minimumGeneration(grant.userId)) return 'outdated';
    return grant.status === 'active' ? 'good' : 'ended';
  }

  #used(grant: ApiKeyGrant): ApiKeyGrant {
    this.#parts.uses.record(grant.apiKeyId);
    return grant;
  }

  #isUnknown(hash: string): boolean {
    return performance.now() < (this.#unknown.get(hash) ?? 0);
  }

  /** Concurrent lookups of one key share a query. */
  #load(hash: string, known: Known | undefined): Promise<ApiKeyGrant | null> {
    const load = this.#lookUp(hash, known).finally(() => this.#loads.delete(hash));
    this.#loads.set(hash, load);
    return load;
  }

  async #lookUp(hash: string, known: Known | undefined): Promise<ApiKeyGrant | null> {
    const loadedAt = performance.now();
    let grant: ApiKeyGrant | null;
    try {
      grant = await this.#newest(hash);
    } catch (error) {
      return this.#without(error, known);
    }
    if (grant === null) {
      this.#known.delete(hash);
      remember(this.#unknown, hash, loadedAt + UNKNOWN_MILLISECONDS);
      return null;
    }
    remember(this.#known, hash, { grant, loadedAt });
    return this.#judge(grant) === 'good' ? this.#used(grant) : null;
  }

  /** From a reader; from the writer, where the reader does not know the key or lags. */
  async #newest(hash: string): Promise<ApiKeyGrant | null> {
    const { repository } = this.#parts;
    const found = await repository.findGrant(hash, 'reader');
    if (found !== null && this.#judge(found) !== 'outdated') return found;
    if (found !== null) return await repository.findGrant(hash, 'writer');
    const slot = this.#unknownOnWriter.tryTake();
    if (slot === undefined) return null;
    try {
      return await repository.findGrant(hash, 'writer');
    } finally {
      this.#unknownOnWriter.free(slot);
    }
  }

  #without(error: unknown, known: Known | undefined): ApiKeyGrant {
    const isUsable =
      known !== undefined && performance.now() - known.loadedAt < USABLE_MILLISECONDS;
    if (error instanceof DatabaseUnavailable && isUsable && this.#judge(known.grant) === 'good') {
      return this.#used(known.grant);
    }
    throw error;
  }
}

/** Evicts the oldest entry at capacity. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  if (map.size >= CAPACITY) {
    const oldest = map.keys().next();
    if (oldest.done !== true) map.delete(oldest.value);
  }
  map.set(key, value);
}
