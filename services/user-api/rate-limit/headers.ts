import type { RateLimitDecision } from './decision.ts';
import type { RateLimitPolicy } from './policy.ts';

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
 * draft-ietf-httpapi-ratelimit-headers-10. The same for all answers under a policy.
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
