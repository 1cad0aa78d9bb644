import type { RateLimitOutcome } from '../decision.ts';
import type { FixedWindowPolicy } from '../policy.ts';
import type { Algorithm, Meter } from './algorithm.ts';

/**
 * Fixed window counter: `limit` requests from the first one until the window has passed. The window begins with the key's
 * own first request, not on the full minute, so that throttled clients do not all come back in the same second
 * (draft-ietf-httpapi-ratelimit-headers-10, "Resource exhaustion"). Around the end of a window up to twice the limit may
 * pass within the length of one; who cannot have that takes the sliding window.
 *
 * State in Redis: the string `<start> <count>`, kept until the window ends.
 */
const SCRIPT = `
local limit, window, requests = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local start, count = now, 0
local stored = redis.call('GET', KEYS[1])
if stored then
  local text_start, text_count = string.match(stored, '^(%d+) (%d+)$')
  start, count = tonumber(text_start), tonumber(text_count)
  if now - start >= window then
    start, count = now, 0
  elseif now < start then
    start = now
  end
end
local allowed = math.max(0, math.min(requests, limit - count))
if allowed > 0 then
  count = count + allowed
  redis.call('SET', KEYS[1], string.format('%.0f %.0f', start, count), 'PX', string.format('%.0f', start + window - now))
end
local reset = start + window - now
return { allowed, math.max(0, limit - count), reset, allowed == requests and 0 or reset }
`;

export function fixedWindow(policy: FixedWindowPolicy): Algorithm {
  const { limit } = policy;
  const window = policy.windowSeconds * 1_000;
  return {
    script: { name: 'fixed-window', body: SCRIPT },
    scriptArguments: [limit, window],
    createMeter: () => new FixedWindowMeter(limit, window),
  };
}

class FixedWindowMeter implements Meter {
  readonly #limit: number;
  readonly #window: number;
  /** `undefined` before the first request. */
  #start: number | undefined;
  #count = 0;

  constructor(limit: number, window: number) {
    this.#limit = limit;
    this.#window = window;
  }

  take(now: number): RateLimitOutcome {
    let start = this.#start ?? now;
    let count = this.#count;
    if (now - start >= this.#window) {
      start = now;
      count = 0;
    } else if (now < start) {
      start = now;
    }
    const allowed = count < this.#limit;
    if (allowed) {
      count += 1;
      this.#start = start;
      this.#count = count;
    }
    const reset = start + this.#window - now;
    return {
      allowed,
      remaining: this.#limit - count,
      resetMilliseconds: reset,
      retryAfterMilliseconds: allowed ? 0 : reset,
    };
  }
}
