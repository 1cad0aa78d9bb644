import { ConcurrencyLimiter } from '../../../contracts/concurrency/concurrency-limiter.ts';
import { DatabaseUnavailable } from '../../database/errors.ts';
import type { FailureLimiter } from '../../rate-limit/failure-limiter.ts';
import type { Revocations } from '../revocations/revocations.ts';
import type { ApiKeyGrant, ApiKeyRepository } from './api-key-repository.ts';
import { apiKeyHash, isApiKeyText } from './api-key-text.ts';
import type { ApiKeyUses } from './api-key-uses.ts';

/** How long a key is taken for good without asking again. Not a bound on revoking, which is told at once. */
const FRESH_MILLISECONDS = 60_000;
/** How long one is taken for good when no database answers. */
const USABLE_MILLISECONDS = 600_000;
/** How long a key that there is not is not looked for again. */
const UNKNOWN_MILLISECONDS = 5_000;
/** Keys remembered, each some 300 bytes. */
const CAPACITY = 10_000;
/**
 * Most questions at once to the writer about keys that a reader does not know. Above that a reader's word is taken, so that whoever
 * makes up keys cannot load the writer.
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
  /** Bounds how many keys that there are not one address may have looked up. */
  readonly unknownKeys: Pick<FailureLimiter, 'attempt'>;
}

/** Tells which key is good, from memory where it was asked for before. Keys are remembered by their hash, not as they are. */
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
   * @returns what the key may do, at once if it was found good a short time ago; null when it is not good.
   * @param address - the one that the request came from: what is looked up in vain counts there.
   * @throws `RateLimitExceeded`, before anything is looked up, at once; `DatabaseUnavailable` when it must be looked up and no server answers.
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
    // One that was good before is no guess.
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

  /** Looks a key up, once for all who ask at the same time. */
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

  /** As a reader has it; as the writer has it, where the reader does not know it or is behind. */
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

  /** What to say when no database answers. */
  #without(error: unknown, known: Known | undefined): ApiKeyGrant {
    const isUsable =
      known !== undefined && performance.now() - known.loadedAt < USABLE_MILLISECONDS;
    if (error instanceof DatabaseUnavailable && isUsable && this.#judge(known.grant) === 'good') {
      return this.#used(known.grant);
    }
    throw error;
  }
}

/** The one that was remembered first goes when there is no more room. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  if (map.size >= CAPACITY) {
    const oldest = map.keys().next();
    if (oldest.done !== true) map.delete(oldest.value);
  }
  map.set(key, value);
}
