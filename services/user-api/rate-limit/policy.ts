/** What requests are counted by: the account that is proved (with all its API keys), and the address, as `client-address/` gives it. */
export type KeyKind = 'user' | 'address';

interface PolicyBase {
  /** Name in headers, keys, metrics and problems: lower-case letters, digits and hyphens. */
  readonly name: string;
  /** Requests that pass in one window: 1 to {@link MAXIMUM_LIMIT}, in requests. */
  readonly limit: number;
  /** Length of the window, in whole seconds: 1 to {@link MAXIMUM_WINDOW_SECONDS}. */
  readonly windowSeconds: number;
  /** Kinds of key that requests are counted by: each of them that a request has. */
  readonly keyedBy: readonly KeyKind[];
}

/** `limit` requests in each window; a window begins with the key's first request after the last window ended. */
export interface FixedWindowPolicy extends PolicyBase {
  readonly algorithm: 'fixed-window';
}

/** Never more than `limit` requests in any stretch of `windowSeconds`, wherever it begins. */
export interface SlidingWindowPolicy extends PolicyBase {
  readonly algorithm: 'sliding-window';
}

/** A bucket of `burst` tokens, refilled evenly with `limit` tokens per window; a request takes one. */
export interface TokenBucketPolicy extends PolicyBase {
  readonly algorithm: 'token-bucket';
  /** Tokens that the bucket holds, and so the requests that may come at once: 1 to {@link MAXIMUM_LIMIT}. @default `limit` */
  readonly burst?: number;
  /**
   * Share of `limit` (over 0, up to 1) that all processes together may pass before Redis has been notified. With it,
   * requests are decided in the process, without waiting for Redis. @default every request asks Redis
   */
  readonly leasedShare?: number;
}

export type RateLimitPolicy = FixedWindowPolicy | SlidingWindowPolicy | TokenBucketPolicy;

/** With a burst of this size and the longest window, a token bucket's arithmetic stays within whole numbers that a double holds (2^53). */
export const MAXIMUM_LIMIT = 10_000_000;
/** One day. */
export const MAXIMUM_WINDOW_SECONDS = 86_400;
/** A sliding window keeps one time for each request that passed, about 10 bytes in Redis: at most 100 KB a key. */
export const MAXIMUM_SLIDING_LIMIT = 10_000;

/** Thrown for a policy that cannot be enforced; the message names the policy, what it got and what it takes. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

function requireWholeNumber(policy: PolicyBase, what: string, value: number, maximum: number) {
  if (Number.isInteger(value) && value >= 1 && value <= maximum) return;
  throw new PolicyError(
    `rate limit policy "${policy.name}": ${what} got ${value}; it takes a whole number from 1 to ${maximum}`,
  );
}

/**
 * `policy`, once it is known that it can be enforced.
 *
 * @throws {@link PolicyError}
 */
export function definePolicy<Policy extends RateLimitPolicy>(policy: Policy): Policy {
  if (!/^[a-z][a-z0-9-]*$/.test(policy.name)) {
    throw new PolicyError(
      `rate limit policy "${policy.name}": the name takes lower-case letters, digits and hyphens, starting with a letter`,
    );
  }
  const sliding = policy.algorithm === 'sliding-window';
  requireWholeNumber(
    policy,
    'limit',
    policy.limit,
    sliding ? MAXIMUM_SLIDING_LIMIT : MAXIMUM_LIMIT,
  );
  requireWholeNumber(policy, 'windowSeconds', policy.windowSeconds, MAXIMUM_WINDOW_SECONDS);
  if (policy.keyedBy.length === 0) {
    throw new PolicyError(
      `rate limit policy "${policy.name}": keyedBy takes at least one kind of key`,
    );
  }
  if (policy.algorithm === 'token-bucket') {
    requireWholeNumber(policy, 'burst', burstOf(policy), MAXIMUM_LIMIT);
    const share = policy.leasedShare;
    if (share !== undefined && !(share > 0 && share <= 1)) {
      throw new PolicyError(
        `rate limit policy "${policy.name}": leasedShare got ${share}; it takes a number over 0, up to 1`,
      );
    }
  }
  return policy;
}

/** Tokens that the bucket of `policy` holds. */
export function burstOf(policy: TokenBucketPolicy): number {
  return policy.burst ?? policy.limit;
}

/**
 * `policy` for one of `processes` that share the traffic evenly and cannot see each other: limit and burst divided
 * among them, rounded up, so that together they pass at most `processes - 1` requests more than `policy` does.
 */
export function shareOf(policy: RateLimitPolicy, processes: number): RateLimitPolicy {
  const limit = Math.ceil(policy.limit / processes);
  if (policy.algorithm !== 'token-bucket') return { ...policy, limit };
  return { ...policy, limit, burst: Math.ceil(burstOf(policy) / processes) };
}
