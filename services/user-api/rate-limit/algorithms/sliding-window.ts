import type { RateLimitOutcome } from '../decision.ts';
import type { SlidingWindowPolicy } from '../policy.ts';
import type { Algorithm, Meter } from './algorithm.ts';

/**
 * Sliding window log: the time of each request that passed is kept for one window, and a request passes while fewer than `limit`
 * times are kept. So no stretch of one window, wherever it begins, has more than `limit`, and none that is asked for so many has less.
 *
 * Two counters weighted by overlap would be smaller (Cloudflare,
 * https://blog.cloudflare.com/counting-things-a-lot-of-different-things/), but assume that the last window's requests were spread
 * evenly, and so pass too many or too few when they were not. The log (described, with its cost, in
 * https://www.figma.com/blog/an-alternative-approach-to-rate-limiting/) is exact. Its size is bounded here, because refused
 * requests are not logged: `limit` times a key, about 10 bytes each in Redis.
 *
 * State in Redis: a list of times, oldest first, kept until the newest is one window old. A request costs constant time on
 * average, since each time is pushed once and popped once.
 */
const SCRIPT = `
local limit, window, requests = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = now
local newest = tonumber(redis.call('LINDEX', KEYS[1], -1))
if newest and newest > now then
  if newest - now >= window then
    redis.call('DEL', KEYS[1])
  else
    now = newest
  end
end
local oldest = tonumber(redis.call('LINDEX', KEYS[1], 0))
while oldest and now - oldest >= window do
  redis.call('LPOP', KEYS[1])
  oldest = tonumber(redis.call('LINDEX', KEYS[1], 0))
end
local count = redis.call('LLEN', KEYS[1])
local allowed = math.max(0, math.min(requests, limit - count))
if allowed > 0 then
  for _ = 1, allowed do
    redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
  end
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', now - clock + window))
  count = count + allowed
end
if allowed == requests then
  return { allowed, limit - count, (oldest or now) + window - now, 0 }
end
local next_free = tonumber(redis.call('LINDEX', KEYS[1], count - limit)) + window - now
return { allowed, 0, next_free, next_free }
`;

export function slidingWindow(policy: SlidingWindowPolicy): Algorithm {
  const { limit } = policy;
  const window = policy.windowSeconds * 1_000;
  return {
    script: { name: 'sliding-window', body: SCRIPT },
    scriptArguments: [limit, window],
    createMeter: () => new SlidingWindowMeter(limit, window),
  };
}

/** Slots of a log that has just begun; it doubles up to the limit as it fills. */
const INITIAL_SLOTS = 8;

class SlidingWindowMeter implements Meter {
  readonly #limit: number;
  readonly #window: number;
  /** A ring: `#count` times from `#first` on, oldest first. */
  #times: Float64Array;
  #first = 0;
  #count = 0;

  constructor(limit: number, window: number) {
    this.#limit = limit;
    this.#window = window;
    this.#times = new Float64Array(Math.min(limit, INITIAL_SLOTS));
  }

  take(wallClock: number): RateLimitOutcome {
    const window = this.#window;
    let now = wallClock;
    if (this.#count > 0) {
      const newest = this.#at(this.#count - 1);
      if (newest - now >= window) this.#count = 0;
      else now = Math.max(now, newest);
    }
    while (this.#count > 0 && now - this.#at(0) >= window) {
      this.#first = (this.#first + 1) % this.#times.length;
      this.#count -= 1;
    }
    if (this.#count >= this.#limit) {
      const next = this.#at(0) + window - now;
      return {
        allowed: false,
        remaining: 0,
        resetMilliseconds: next,
        retryAfterMilliseconds: next,
      };
    }
    this.#push(now);
    return {
      allowed: true,
      remaining: this.#limit - this.#count,
      resetMilliseconds: this.#at(0) + window - now,
      retryAfterMilliseconds: 0,
    };
  }

  #at(position: number): number {
    return this.#times[(this.#first + position) % this.#times.length] ?? 0;
  }

  #push(time: number): void {
    if (this.#count === this.#times.length) {
      const larger = new Float64Array(Math.min(this.#limit, this.#count * 2));
      for (let position = 0; position < this.#count; position += 1) {
        larger[position] = this.#at(position);
      }
      this.#times = larger;
      this.#first = 0;
    }
    this.#times[(this.#first + this.#count) % this.#times.length] = time;
    this.#count += 1;
  }
}
