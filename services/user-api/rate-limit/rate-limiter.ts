import type { RateLimiter } from './decision.ts';
import { InProcessLimiter } from './in-process-limiter.ts';
import { LeasedLimiter } from './leased-limiter.ts';
import { definePolicy, type RateLimitPolicy } from './policy.ts';
import { SharedLimiter, type SharedState } from './shared-limiter.ts';

export interface RateLimiterOptions {
  readonly policy: RateLimitPolicy;
  /** @default none: this process enforces its share of the policy alone */
  readonly state?: SharedState;
  /** Processes that share the traffic; see `RATE_LIMIT_EXPECTED_PROCESSES`. @default 1 */
  readonly expectedProcesses?: number;
  /** Most keys held in this process. @default 50,000 */
  readonly maximumKeys?: number;
}

/**
 * The limiter that `policy` asks for: exact in Redis, or leased from it, or in this process.
 *
 * @throws PolicyError for a policy that cannot be enforced.
 */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const policy = definePolicy(options.policy);
  const { state } = options;
  if (state === undefined) return new InProcessLimiter(options);
  if (policy.algorithm === 'token-bucket' && policy.leasedShare !== undefined) {
    const { leasedShare } = policy;
    return new LeasedLimiter({ ...options, state, policy: { ...policy, leasedShare } });
  }
  return new SharedLimiter({ ...options, state });
}
