import type { RateLimitOutcome } from '../decision.ts';
import { burstOf, type TokenBucketPolicy } from '../policy.ts';
import type { Algorithm, Meter } from './algorithm.ts';

/**
 * Token bucket (J. Turner, "New directions in communications", IEEE Communications Magazine 24(10), 1986; as a virtual scheduling
 * algorithm it is the GCRA of ITU-T I.371). The bucket is full at first; it is refilled by the time that has passed when it is next looked at.
 *
 * Whole numbers only, so that no fraction is ever lost and Redis and a process cannot differ: with the window in
 * milliseconds, a token is `window` units, and each millisecond adds `limit` units.
 *
 * A call may bring `spent` tokens that were spent on a lease before Redis was asked (`leased-limiter.ts`). They are always taken,
 * if need be into debt: the level goes below zero, and nothing passes until it has been made good. A call that only settles is of no request.
 *
 * State in Redis: the string `<level> <time>`, kept until the bucket is full again, when it is the same as no state.
 */
const SCRIPT = `
local limit, window, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local spent, requests = tonumber(ARGV[4]), tonumber(ARGV[5])
local full = burst * window
local level = full
local stored = redis.call('GET', KEYS[1])
if stored then
  local text_level, text_time = string.match(stored, '^(-?%d+) (%d+)$')
  local elapsed = math.max(0, now - tonumber(text_time))
  level = math.min(full, tonumber(text_level) + elapsed * limit)
end
level = level - spent * window
local allowed = math.max(0, math.min(requests, math.floor(level / window)))
level = level - allowed * window
if spent > 0 or allowed > 0 then
  redis.call('SET', KEYS[1], string.format('%.0f %.0f', level, now), 'PX', string.format('%.0f', math.ceil((full - level) / limit)))
end
local remaining = math.max(0, math.floor(level / window))
local reset = 0
if level < full then
  reset = math.ceil(((remaining + 1) * window - level) / limit)
end
return { allowed, remaining, reset, allowed == requests and 0 or reset }
`;

export function tokenBucket(policy: TokenBucketPolicy): Algorithm {
  const { limit } = policy;
  const burst = burstOf(policy);
  const window = policy.windowSeconds * 1_000;
  return {
    script: { name: 'token-bucket', body: SCRIPT },
    scriptArguments: [limit, window, burst],
    createMeter: () => new TokenBucketMeter(limit, window, burst),
  };
}

/** What a call of the script that settles nothing has between the arguments of the policy and the number of requests. */
export const NOTHING_SPENT = 0;

class TokenBucketMeter implements Meter {
  readonly #limit: number;
  readonly #window: number;
  readonly #full: number;
  #level: number;
  /** Time of the last request that passed. */
  #time: number | undefined;

  constructor(limit: number, window: number, burst: number) {
    this.#limit = limit;
    this.#window = window;
    this.#full = burst * window;
    this.#level = this.#full;
  }

  take(now: number): RateLimitOutcome {
    const elapsed = Math.max(0, now - (this.#time ?? now));
    let level = Math.min(this.#full, this.#level + elapsed * this.#limit);
    const allowed = level >= this.#window;
    if (allowed) {
      level -= this.#window;
      this.#level = level;
      this.#time = now;
    }
    const remaining = Math.floor(level / this.#window);
    const reset =
      level < this.#full ? Math.ceil(((remaining + 1) * this.#window - level) / this.#limit) : 0;
    return {
      allowed,
      remaining,
      resetMilliseconds: reset,
      retryAfterMilliseconds: allowed ? 0 : reset,
    };
  }
}
