import type { RateLimitDecision, RateLimiter } from './decision.ts';
import { headersFor, type RateLimitHeaders } from './headers.ts';
import { type ClientIdentity, keyFor } from './key.ts';
import { RateLimitExceeded } from './rate-limit-exceeded.ts';
import { RecentMap } from './recent-map.ts';

/** Addresses whose keys are kept: those of clients that come often. */
const REMEMBERED_KEYS = 4_096;

/** A request that has been counted, or refused. */
export interface CheckedRequest {
  readonly decision: RateLimitDecision;
  /** What the answer carries, whether it was allowed or not. */
  readonly headers: RateLimitHeaders;
}

/** One policy as requests meet it: whose request it is, the decision, and the fields of the answer. */
export interface RequestLimit {
  /**
   * Counts a request without waiting; `undefined`, and nothing counted, when Redis must be asked: then {@link check} does. For
   * listeners that answer before any promise.
   */
  checkNow(identity: ClientIdentity): CheckedRequest | undefined;
  /** Counts a request, without a promise whenever this process can decide. Never rejects. */
  check(identity: ClientIdentity): CheckedRequest | Promise<CheckedRequest>;
}

export function createRequestLimit(limiter: RateLimiter): RequestLimit {
  const headers = headersFor(limiter.policy);
  const checked = (decision: RateLimitDecision): CheckedRequest => ({
    decision,
    headers: headers(decision),
  });
  // A key that is made anew is hashed anew, too, when what belongs to it is looked up.
  const addressKeys = new RecentMap<string>(REMEMBERED_KEYS);
  const keyOf = (identity: ClientIdentity): string => {
    const { address, apiKeyId, userId } = identity;
    if (apiKeyId !== undefined || userId !== undefined) return keyFor(limiter.policy, identity);
    const known = addressKeys.get(address);
    if (known !== undefined) return known;
    const key = keyFor(limiter.policy, identity);
    addressKeys.set(address, key);
    return key;
  };
  return {
    checkNow(identity) {
      const decision = limiter.decideNow(keyOf(identity));
      return decision && checked(decision);
    },
    check(identity) {
      const decision = limiter.decide(keyOf(identity));
      return decision instanceof Promise ? decision.then(checked) : checked(decision);
    },
  };
}

/** @throws {@link RateLimitExceeded} when `request` was refused. */
export function requireAllowed(request: CheckedRequest): void {
  if (!request.decision.allowed) throw new RateLimitExceeded(request.decision, request.headers);
}
