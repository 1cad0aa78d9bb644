import type { ScriptSource } from '../../redis/redis-script.ts';
import type { RateLimitOutcome } from '../decision.ts';

/**
 * One algorithm with the settings of one policy, in its two forms: a script that Redis runs, so that all processes share one
 * state, and a meter for one key in this process. Both give the same outcomes for the same times; a test compares them.
 */
export interface Algorithm {
  readonly script: ScriptSource;
  /** What the script gets after the key, and before the number of requests that ask at once. */
  readonly scriptArguments: readonly number[];
  /** A meter with its whole quota. */
  createMeter(): Meter;
}

/** The state of one key, held in this process. */
export interface Meter {
  /**
   * Counts one request if it passes.
   *
   * @param now whole milliseconds on any clock; a clock set back delays by at most one window.
   */
  take(now: number): RateLimitOutcome;
}

/** Integers that the scripts of all algorithms return: how many of the requests pass, how many more would, and two times in milliseconds. */
export type OutcomeReply = readonly [
  allowed: number,
  remaining: number,
  resetMilliseconds: number,
  retryAfterMilliseconds: number,
];

function isOutcomeReply(reply: unknown): reply is OutcomeReply {
  return Array.isArray(reply) && reply.length === 4 && reply.every(Number.isInteger);
}

/**
 * The outcomes of `requests` requests that asked at once, in their order: as if each had asked by itself, one after the other.
 *
 * @throws TypeError when `reply` is not an {@link OutcomeReply}.
 */
export function parseOutcomes(reply: unknown, requests: number): RateLimitOutcome[] {
  if (!isOutcomeReply(reply)) {
    throw new TypeError(
      `a rate limit script replied ${JSON.stringify(reply)}; expected 4 integers`,
    );
  }
  const [allowed, remaining, resetMilliseconds, retryAfterMilliseconds] = reply;
  return Array.from({ length: requests }, (_, index) =>
    index < allowed
      ? {
          allowed: true,
          remaining: remaining + allowed - 1 - index,
          resetMilliseconds,
          retryAfterMilliseconds: 0,
        }
      : { allowed: false, remaining, resetMilliseconds, retryAfterMilliseconds },
  );
}

/**
 * The outcome of one request.
 *
 * @throws TypeError when `reply` is not an {@link OutcomeReply}.
 */
export function parseOutcome(reply: unknown): RateLimitOutcome {
  const [outcome] = parseOutcomes(reply, 1);
  if (outcome === undefined) throw new TypeError('One request has one outcome');
  return outcome;
}
