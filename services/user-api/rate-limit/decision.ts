import type { RateLimitPolicy } from './policy.ts';

/** What one step of an algorithm finds; times in whole milliseconds from the step. */
export interface RateLimitOutcome {
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
export interface RateLimitDecision extends RateLimitOutcome {
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
  decision(
    policy: RateLimitPolicy,
    source: DecisionSource,
    outcome: RateLimitOutcome,
  ): RateLimitDecision {
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

/** Header fields of a response, by their names in lower case. */
export interface RateLimitHeaders {
  readonly 'ratelimit-policy': string;
  readonly ratelimit: string;
  /** On refusals only. */
  readonly 'retry-after'?: string;
}

/**
 * Whole seconds for a field, rounded up and at least 1: a client that waits so long does not come too early. `Retry-After` and `t`
 * both come from here, as the former should not be earlier than the latter.
 */
function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1_000));
}

/**
 * `RateLimit-Policy`, for example `"reads";q=1000;w=60`: a structured field (RFC 9651) of
 * draft-ietf-httpapi-ratelimit-headers-10. The same for all responses under a policy.
 */
export function policyField(policy: RateLimitPolicy): string {
  return `"${policy.name}";q=${policy.limit};w=${policy.windowSeconds}`;
}

/**
 * `RateLimit`, for example `"reads";r=500;t=30`: requests remaining, and seconds until there are more. There is no `t`
 * when the whole quota is there.
 */
export function limitField(decision: RateLimitDecision): string {
  const field = `"${decision.policy.name}";r=${decision.remaining}`;
  const reset = decision.resetMilliseconds;
  return reset === 0 ? field : `${field};t=${seconds(reset)}`;
}

/** `Retry-After` in seconds (RFC 9110, section 10.2.3). */
export function retryAfterField(milliseconds: number): string {
  return String(seconds(milliseconds));
}

/** Makes the fields for decisions under `policy`; what does not change is made once. */
export function headersFor(
  policy: RateLimitPolicy,
): (decision: RateLimitDecision) => RateLimitHeaders {
  const policyText = policyField(policy);
  return (decision) => {
    const ratelimit = limitField(decision);
    if (decision.allowed) return { 'ratelimit-policy': policyText, ratelimit };
    return {
      'ratelimit-policy': policyText,
      ratelimit,
      'retry-after': retryAfterField(decision.retryAfterMilliseconds),
    };
  };
}

/** A request that has been counted, or refused. */
export interface CheckedRequest {
  readonly decision: RateLimitDecision;
  /** What the response carries, whether it was allowed or not. */
  readonly headers: RateLimitHeaders;
}

/** A policy refused the request: 429, with {@link headers}. */
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
