import type { RateLimitDecision } from './decision.ts';

/** Thrown for a request that a policy refused; answered 429 with `Retry-After`. */
export class RateLimitExceeded extends Error {
  override readonly name = 'RateLimitExceeded';
  readonly decision: RateLimitDecision;

  constructor(decision: RateLimitDecision) {
    super(`the quota of the policy "${decision.policy.name}" is used up`);
    this.decision = decision;
  }
}
