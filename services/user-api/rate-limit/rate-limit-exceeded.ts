import type { RateLimitDecision } from './decision.ts';
import type { RateLimitHeaders } from './headers.ts';

/** Thrown for a request that a policy refused; to be answered 429, with {@link headers}. */
export class RateLimitExceeded extends Error {
  override readonly name = 'RateLimitExceeded';
  readonly decision: RateLimitDecision;
  /** `RateLimit`, `RateLimit-Policy` and `Retry-After` of the response. */
  readonly headers: RateLimitHeaders;

  constructor(decision: RateLimitDecision, headers: RateLimitHeaders) {
    super(`The quota of the policy "${decision.policy.name}" is used up.`);
    this.decision = decision;
    this.headers = headers;
  }
}
