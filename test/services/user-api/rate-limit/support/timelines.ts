import fc from 'fast-check';
import type { Algorithm } from '../../../../../services/user-api/rate-limit/algorithms/algorithm.ts';
import { NOTHING_SPENT } from '../../../../../services/user-api/rate-limit/algorithms/token-bucket.ts';
import type { RateLimitOutcome } from '../../../../../services/user-api/rate-limit/decision.ts';

/** What a call of the token bucket's script that takes one request, and settles nothing, has after the arguments of the policy. */
export const TAKE_ONE = [NOTHING_SPENT, 1] as const;

export const RUNS = { numRuns: 150 };
/** Milliseconds since 1970 of a day in 2026: as large as the times that Redis gives. */
export const START = 1_795_000_000_000;

export const limit = fc.integer({ min: 1, max: 12 });
export const windowSeconds = fc.integer({ min: 1, max: 5 });

/** Gaps between requests in milliseconds: bursts, and steps up to, onto and past the edges of windows. */
export const gap = fc.oneof(
  { arbitrary: fc.constant(0), weight: 4 },
  { arbitrary: fc.integer({ min: 1, max: 400 }), weight: 4 },
  { arbitrary: fc.constantFrom(999, 1_000, 1_001, 1_999, 2_000, 2_001, 5_000), weight: 2 },
  { arbitrary: fc.integer({ min: 0, max: 12_000 }), weight: 1 },
);
export const gaps = fc.array(gap, { minLength: 1, maxLength: 60 });
/** As {@link gaps}, with a clock that is sometimes set back. */
export const gapsAndSteps = fc.array(
  fc.oneof(
    { arbitrary: gap, weight: 8 },
    { arbitrary: fc.integer({ min: -9_000, max: -1 }), weight: 1 },
  ),
  { minLength: 1, maxLength: 60 },
);

export function timesOf(steps: readonly number[]): number[] {
  let now = START;
  return steps.map((step) => {
    now += step;
    return now;
  });
}

export function passes(outcomes: readonly RateLimitOutcome[]): boolean[] {
  return outcomes.map(({ allowed }) => allowed);
}

export function meterOutcomes(algorithm: Algorithm, times: readonly number[]): RateLimitOutcome[] {
  const meter = algorithm.createMeter();
  return times.map((time) => meter.take(time));
}
