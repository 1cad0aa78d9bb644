import type { RateLimitPolicy } from './policy.ts';

/** What one step of an algorithm finds; times in whole milliseconds from the step. */
export interface Outcome {
  readonly allowed: boolean;
  /** Requests that would still pass now. */
  readonly remaining: number;
  /** Time until more requests than `remaining` would pass; 0 when the key has its whole quota. */
  readonly resetMilliseconds: number;
  /** Time until the next request would pass; 0 when this one did. */
  readonly retryAfterMilliseconds: number;
}

/**
 * Who decided: Redis; this process from a lease, or from remembering what Redis last refused; or this process alone,
 * with Redis absent or down.
 */
export type DecisionSource = 'redis' | 'lease' | 'remembered' | 'in-process';

/** The response to one request under one policy. */
export interface RateLimitDecision extends Outcome {
  readonly policy: RateLimitPolicy;
  readonly source: DecisionSource;
}

/** Decisions since the limiter was made, for metrics. */
export type DecisionCounts = Readonly<
  Record<DecisionSource, { readonly allowed: number; readonly refused: number }>
>;

/** Decides whether a request of a key passes under one policy, and counts it when it does. Refused requests are not counted. */
export interface RateLimiter {
  readonly policy: RateLimitPolicy;
  readonly counts: DecisionCounts;
  /** The decision, when this process can make it by itself; `undefined`, and nothing is counted, when it must ask Redis. */
  decideNow(key: string): RateLimitDecision | undefined;
  /** The decision, at once when {@link decideNow} has one, and after one round trip to Redis else. Never rejects. */
  decide(key: string): RateLimitDecision | Promise<RateLimitDecision>;
  /** Publishes to Redis what it lacks, and ends timers. Settles also when Redis is down. */
  close(): Promise<void>;
}

/** Counts that a limiter adds to. */
export class DecisionCounter {
  readonly counts = {
    redis: { allowed: 0, refused: 0 },
    lease: { allowed: 0, refused: 0 },
    remembered: { allowed: 0, refused: 0 },
    'in-process': { allowed: 0, refused: 0 },
  };

  /** `outcome` as the decision of `source`, counted. */
  decision(policy: RateLimitPolicy, source: DecisionSource, outcome: Outcome): RateLimitDecision {
    if (outcome.allowed) this.counts[source].allowed += 1;
    else this.counts[source].refused += 1;
    return {
      policy,
      source,
      allowed: outcome.allowed,
      remaining: outcome.remaining,
      resetMilliseconds: outcome.resetMilliseconds,
      retryAfterMilliseconds: outcome.retryAfterMilliseconds,
    };
  }
}
