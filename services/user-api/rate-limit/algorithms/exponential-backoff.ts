import type { ScriptSource } from '../../redis/redis-script.ts';
import type { RateLimitOutcome } from '../decision.ts';
import type { Algorithm, Meter } from './algorithm.ts';

/** How failures lengthen the wait before the next attempt. */
export interface BackoffSettings {
  /** Attempts in a row that cause no wait, less one: the failure of the last of them causes the first. */
  readonly freeAttempts: number;
  /** The first wait, in milliseconds; each further failure doubles it. */
  readonly firstDelayMilliseconds: number;
  /** Longest wait, in milliseconds. */
  readonly maximumDelayMilliseconds: number;
  /** Time after the last attempt when all failures are forgotten, in milliseconds; longer than the longest wait. */
  readonly forgetAfterMilliseconds: number;
}

/**
 * Capped exponential backoff (NIST SP 800-63B, section 5.2.2: a wait that grows with each failed attempt, among the measures against
 * guessing that do not shut the owner out for good). An attempt counts as failed when it begins, until it is known to have
 * succeeded: else a thousand guesses could be in flight at once before the first had failed. Attempts during a wait are refused and do not lengthen it.
 *
 * `remaining` is how many attempts may still fail without a wait, `reset` the wait that follows when this one fails.
 *
 * State in Redis: the string `<failures> <not before> <last attempt>`.
 */
const SCRIPT = `
local free, first, maximum, forget = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local failures, not_before = 0, now
local stored = redis.call('GET', KEYS[1])
if stored then
  local text_failures, text_not_before, text_last = string.match(stored, '^(%d+) (%d+) (%d+)$')
  if now - tonumber(text_last) < forget then
    failures = tonumber(text_failures)
    not_before = math.min(tonumber(text_not_before), now + maximum)
  end
end
if now < not_before then
  local wait = not_before - now
  return { 0, 0, wait, wait }
end
failures = failures + 1
local delay = 0
if failures >= free then
  delay = math.min(maximum, first * 2 ^ (failures - free))
end
redis.call('SET', KEYS[1], string.format('%.0f %.0f %.0f', failures, now + delay, now), 'PX', forget)
return { 1, math.max(0, free - failures), delay, 0 }
`;

/**
 * Takes one attempt off the count, as it was never decided, with the wait of `ARGV[1]` milliseconds that it has caused; state as above. A wait that a later
 * attempt has caused is shorter by as much: it was doubled for this one.
 */
export const WITHDRAWAL_SCRIPT: ScriptSource = {
  name: 'exponential-backoff-withdrawal',
  body: `
local stored = redis.call('GET', KEYS[1])
if not stored then return 0 end
local failures, not_before, last = string.match(stored, '^(%d+) (%d+) (%d+)$')
if tonumber(failures) <= 1 then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], string.format('%.0f %.0f %.0f', tonumber(failures) - 1, tonumber(not_before) - tonumber(ARGV[1]), tonumber(last)), 'KEEPTTL')
return 1
`,
};

interface BackoffAlgorithm extends Algorithm {
  createMeter(): BackoffMeter;
}

export function exponentialBackoff(settings: BackoffSettings): BackoffAlgorithm {
  return {
    script: { name: 'exponential-backoff', body: SCRIPT },
    scriptArguments: [
      settings.freeAttempts,
      settings.firstDelayMilliseconds,
      settings.maximumDelayMilliseconds,
      settings.forgetAfterMilliseconds,
    ],
    createMeter: () => new BackoffMeter(settings),
  };
}

/** The failures of one account, held in this process. */
export class BackoffMeter implements Meter {
  readonly #settings: BackoffSettings;
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  constructor(settings: BackoffSettings) {
    this.#settings = settings;
  }

  take(now: number): RateLimitOutcome {
    const { freeAttempts, firstDelayMilliseconds, maximumDelayMilliseconds } = this.#settings;
    const forgotten = now - this.#last >= this.#settings.forgetAfterMilliseconds;
    const notBefore = forgotten ? now : Math.min(this.#notBefore, now + maximumDelayMilliseconds);
    if (now < notBefore) {
      const wait = notBefore - now;
      return {
        allowed: false,
        remaining: 0,
        resetMilliseconds: wait,
        retryAfterMilliseconds: wait,
      };
    }
    const failures = forgotten ? 1 : this.#failures + 1;
    const delay =
      failures < freeAttempts
        ? 0
        : Math.min(
            maximumDelayMilliseconds,
            firstDelayMilliseconds * 2 ** (failures - freeAttempts),
          );
    this.#failures = failures;
    this.#notBefore = now + delay;
    this.#last = now;
    return {
      allowed: true,
      remaining: Math.max(0, freeAttempts - failures),
      resetMilliseconds: delay,
      retryAfterMilliseconds: 0,
    };
  }

  /** As {@link WITHDRAWAL_SCRIPT} does. */
  withdraw(delayMilliseconds: number): void {
    this.#failures = Math.max(0, this.#failures - 1);
    this.#notBefore -= delayMilliseconds;
  }
}
