import type { RateLimitDecision, RateLimiter } from './decision.ts';
import { headersFor, type RateLimitHeaders } from './headers.ts';
import { type ClientIdentity, keyFor } from './key.ts';
import { RateLimitExceeded } from './rate-limit-exceeded.ts';

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
  return {
    checkNow(identity) {
      const decision = limiter.decideNow(keyFor(limiter.policy, identity));
      return decision && checked(decision);
    },
    check(identity) {
      const decision = limiter.decide(keyFor(limiter.policy, identity));
      return decision instanceof Promise ? decision.then(checked) : checked(decision);
    },
  };
}

/** @throws {@link RateLimitExceeded} when `request` was refused. */
export function requireAllowed(request: CheckedRequest): void {
  if (!request.decision.allowed) throw new RateLimitExceeded(request.decision, request.headers);
}
