import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Algorithm } from '../../../../services/user-api/rate-limit/algorithms/algorithm.ts';
import { exponentialBackoff } from '../../../../services/user-api/rate-limit/algorithms/exponential-backoff.ts';
import { fixedWindow } from '../../../../services/user-api/rate-limit/algorithms/fixed-window.ts';
import { slidingWindow } from '../../../../services/user-api/rate-limit/algorithms/sliding-window.ts';
import {
  TAKE_ONE,
  tokenBucket,
} from '../../../../services/user-api/rate-limit/algorithms/token-bucket.ts';
import type { Outcome } from '../../../../services/user-api/rate-limit/decision.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { connectToRedis } from './support/connect.ts';
import {
  backoffModel,
  fixedWindowModel,
  slidingWindowModel,
  tokenBucketModel,
} from './support/reference-models.ts';
import { replay } from './support/timeline-redis.ts';

const RUNS = { numRuns: 150 };
/** Milliseconds since 1970 of a day in 2026: as large as the times that Redis gives. */
const START = 1_795_000_000_000;

const limit = fc.integer({ min: 1, max: 12 });
const windowSeconds = fc.integer({ min: 1, max: 5 });

/** Gaps between requests in milliseconds: bursts, and steps up to, onto and past the edges of windows. */
const gap = fc.oneof(
  { arbitrary: fc.constant(0), weight: 4 },
  { arbitrary: fc.integer({ min: 1, max: 400 }), weight: 4 },
  { arbitrary: fc.constantFrom(999, 1_000, 1_001, 1_999, 2_000, 2_001, 5_000), weight: 2 },
  { arbitrary: fc.integer({ min: 0, max: 12_000 }), weight: 1 },
);
const gaps = fc.array(gap, { minLength: 1, maxLength: 60 });
/** As {@link gaps}, with a clock that is sometimes set back. */
const gapsAndSteps = fc.array(
  fc.oneof(
    { arbitrary: gap, weight: 8 },
    { arbitrary: fc.integer({ min: -9_000, max: -1 }), weight: 1 },
  ),
  { minLength: 1, maxLength: 60 },
);

function timesOf(steps: readonly number[]): number[] {
  let now = START;
  return steps.map((step) => {
    now += step;
    return now;
  });
}

function passes(outcomes: readonly Outcome[]): boolean[] {
  return outcomes.map(({ allowed }) => allowed);
}

function meterOutcomes(algorithm: Algorithm, times: readonly number[]): Outcome[] {
  const meter = algorithm.createMeter();
  return times.map((time) => meter.take(time));
}

describeWithRedis('the algorithms of rate limits', (server) => {
  let redis: Redis;
  let keys = 0;
  let key: string;
  beforeAll(async () => {
    redis = await connectToRedis(server().url);
  });
  beforeEach(() => {
    keys = 0;
  });
  afterAll(() => redis.disconnect());
  const freshKey = () => {
    keys += 1;
    key = `${expect.getState().currentTestName}:${keys}`;
    return key;
  };

  describe('fixedWindow', () => {
    const algorithmWith = (limit: number, windowSeconds: number) =>
      fixedWindow({
        name: 'test',
        algorithm: 'fixed-window',
        limit,
        windowSeconds,
        keyedBy: ['user'],
      });

    it('on any timeline, passes what the definition says, in Redis and in the process', async () => {
      await fc.assert(
        fc.asyncProperty(limit, windowSeconds, gaps, async (limit, windowSeconds, steps) => {
          const times = timesOf(steps);
          const algorithm = algorithmWith(limit, windowSeconds);
          const expected = fixedWindowModel(limit, windowSeconds * 1_000, times);
          expect(passes(await replay(redis, algorithm, freshKey(), times))).toEqual(expected);
          expect(passes(meterOutcomes(algorithm, times))).toEqual(expected);
        }),
        RUNS,
      );
    });

    it('when the clock is set back, gives the same outcomes in Redis and in the process', async () => {
      await fc.assert(
        fc.asyncProperty(
          limit,
          windowSeconds,
          gapsAndSteps,
          async (limit, windowSeconds, steps) => {
            const times = timesOf(steps);
            const algorithm = algorithmWith(limit, windowSeconds);
            expect(await replay(redis, algorithm, freshKey(), times)).toEqual(
              meterOutcomes(algorithm, times),
            );
          },
        ),
        RUNS,
      );
    });
  });

  describe('slidingWindow', () => {
    const algorithmWith = (limit: number, windowSeconds: number) =>
      slidingWindow({
        name: 'test',
        algorithm: 'sliding-window',
        limit,
        windowSeconds,
        keyedBy: ['user'],
      });

    it('on any timeline, passes what the definition says, in Redis and in the process', async () => {
      await fc.assert(
        fc.asyncProperty(limit, windowSeconds, gaps, async (limit, windowSeconds, steps) => {
          const times = timesOf(steps);
          const algorithm = algorithmWith(limit, windowSeconds);
          const expected = slidingWindowModel(limit, windowSeconds * 1_000, times);
          expect(passes(await replay(redis, algorithm, freshKey(), times))).toEqual(expected);
          expect(passes(meterOutcomes(algorithm, times))).toEqual(expected);
        }),
        RUNS,
      );
    });

    it('when the clock is set back, gives the same outcomes in Redis and in the process', async () => {
      await fc.assert(
        fc.asyncProperty(
          limit,
          windowSeconds,
          gapsAndSteps,
          async (limit, windowSeconds, steps) => {
            const times = timesOf(steps);
            const algorithm = algorithmWith(limit, windowSeconds);
            expect(await replay(redis, algorithm, freshKey(), times)).toEqual(
              meterOutcomes(algorithm, times),
            );
          },
        ),
        RUNS,
      );
    });

    it('when the limit has been lowered, refuses until the log has shrunk below it', async () => {
      const times = Array.from({ length: 10 }, (_, index) => START + index * 100);
      await replay(redis, algorithmWith(10, 5), freshKey(), times);
      const later = START + 1_000;
      const [refused] = await replay(redis, algorithmWith(4, 5), key, [later]);
      // The seventh of ten must leave: three are fewer than four.
      const free = START + 600 + 5_000;
      expect(refused).toMatchObject({ allowed: false, retryAfterMilliseconds: free - later });
      const atLast = await replay(redis, algorithmWith(4, 5), key, [free - 1, free]);
      expect(passes(atLast)).toEqual([false, true]);
    });
  });

  describe('tokenBucket', () => {
    const burst = fc.integer({ min: 1, max: 20 });
    const algorithmWith = (limit: number, windowSeconds: number, burst: number) =>
      tokenBucket({
        name: 'test',
        algorithm: 'token-bucket',
        limit,
        windowSeconds,
        burst,
        keyedBy: ['user'],
      });

    it('on any timeline, passes what the generic cell rate algorithm says, in Redis and in the process', async () => {
      await fc.assert(
        fc.asyncProperty(
          limit,
          windowSeconds,
          burst,
          gaps,
          async (limit, windowSeconds, burst, steps) => {
            const times = timesOf(steps);
            const algorithm = algorithmWith(limit, windowSeconds, burst);
            const calls = times.map((time) => ({ time, cost: 1, spent: 0 }));
            const expected = tokenBucketModel(limit, windowSeconds * 1_000, burst, calls);
            const replayed = await replay(redis, algorithm, freshKey(), times, () => TAKE_ONE);
            expect(passes(replayed)).toEqual(expected);
            expect(passes(meterOutcomes(algorithm, times))).toEqual(expected);
          },
        ),
        RUNS,
      );
    });

    it('when the clock is set back, gives the same outcomes in Redis and in the process', async () => {
      await fc.assert(
        fc.asyncProperty(
          limit,
          windowSeconds,
          burst,
          gapsAndSteps,
          async (limit, windowSeconds, burst, steps) => {
            const times = timesOf(steps);
            const algorithm = algorithmWith(limit, windowSeconds, burst);
            expect(await replay(redis, algorithm, freshKey(), times, () => TAKE_ONE)).toEqual(
              meterOutcomes(algorithm, times),
            );
          },
        ),
        RUNS,
      );
    });

    it('when calls bring what was spent on leases, takes it into debt, and passes what is left', async () => {
      const call = fc.record({
        gap,
        cost: fc.constantFrom(0, 1),
        spent: fc.integer({ min: 0, max: 6 }),
      });
      await fc.assert(
        fc.asyncProperty(
          limit,
          windowSeconds,
          burst,
          fc.array(call, { minLength: 1, maxLength: 40 }),
          async (limit, windowSeconds, burst, drawn) => {
            const times = timesOf(drawn.map(({ gap }) => gap));
            const calls = drawn.map(({ cost, spent }, index) => ({
              time: times[index] ?? START,
              cost,
              spent,
            }));
            const outcomes = await replay(
              redis,
              algorithmWith(limit, windowSeconds, burst),
              freshKey(),
              times,
              (index) => [calls[index]?.cost ?? 0, calls[index]?.spent ?? 0],
            );
            const expected = tokenBucketModel(limit, windowSeconds * 1_000, burst, calls);
            expect(passes(outcomes)).toEqual(expected);
          },
        ),
        RUNS,
      );
    });

    it('when a token takes a fraction of a millisecond more, does not give it before', async () => {
      // Seven in a second: one in 142.86 ms.
      const algorithm = algorithmWith(7, 1, 1);
      const take = async (time: number) =>
        passes(await replay(redis, algorithm, freshKey(), [START, START + time], () => TAKE_ONE));
      expect(await take(142)).toEqual([true, false]);
      expect(await take(143)).toEqual([true, true]);
    });

    it('with the largest limit, burst and window, loses no token to rounding', async () => {
      const algorithm = algorithmWith(9_999_991, 86_399, 10_000_000);
      const [first, second] = await replay(redis, algorithm, freshKey(), [START, START], (index) =>
        index === 0 ? [0, 9_999_999] : TAKE_ONE,
      );
      expect(first).toMatchObject({ allowed: true, remaining: 1 });
      expect(second).toMatchObject({ allowed: true, remaining: 0, resetMilliseconds: 9 });
    });
  });

  describe('every algorithm', () => {
    const algorithms: Record<string, Algorithm> = {
      'fixed window': fixedWindow({
        name: 'test',
        algorithm: 'fixed-window',
        limit: 5,
        windowSeconds: 2,
        keyedBy: ['user'],
      }),
      'sliding window': slidingWindow({
        name: 'test',
        algorithm: 'sliding-window',
        limit: 5,
        windowSeconds: 2,
        keyedBy: ['user'],
      }),
      'token bucket': tokenBucket({
        name: 'test',
        algorithm: 'token-bucket',
        limit: 7,
        windowSeconds: 2,
        burst: 5,
        keyedBy: ['user'],
      }),
    };

    it.each(Object.entries(algorithms))(
      '%s: after a refusal, refuses until just before the time it gave, and passes at that time',
      async (name, algorithm) => {
        const extra = () => (name === 'token bucket' ? TAKE_ONE : []);
        await fc.assert(
          fc.asyncProperty(gaps, async (steps) => {
            const times = timesOf(steps);
            const outcomes = meterOutcomes(algorithm, times);
            const refusal = outcomes.findIndex(({ allowed }) => !allowed);
            fc.pre(refusal !== -1);
            const wait = outcomes[refusal]?.retryAfterMilliseconds ?? 0;
            const until = [...times.slice(0, refusal + 1), (times[refusal] ?? 0) + wait];
            const justBefore = until.with(-1, (until.at(-1) ?? 0) - 1);
            const lastPasses = async (moments: readonly number[]) =>
              (await replay(redis, algorithm, freshKey(), moments, extra)).at(-1)?.allowed;
            expect(await lastPasses(justBefore)).toBe(false);
            expect(await lastPasses(until)).toBe(true);
          }),
          { numRuns: 50 },
        );
      },
    );

    it.each(Object.entries(algorithms))(
      '%s: of requests at one moment, passes as many more as it says remain',
      async (name, algorithm) => {
        const extra = () => (name === 'token bucket' ? TAKE_ONE : []);
        await fc.assert(
          fc.asyncProperty(gaps, async (steps) => {
            const times = timesOf(steps);
            const last = times.at(-1) ?? START;
            const rest = Array.from({ length: 10 }, () => last);
            const outcomes = await replay(redis, algorithm, freshKey(), [...times, ...rest], extra);
            const passed = outcomes.slice(times.length).filter(({ allowed }) => allowed).length;
            expect(passed).toBe(outcomes[times.length - 1]?.remaining);
          }),
          { numRuns: 50 },
        );
      },
    );
  });

  describe('exponentialBackoff', () => {
    const settings = {
      freeAttempts: 3,
      firstDelayMilliseconds: 1_000,
      maximumDelayMilliseconds: 10_000,
      forgetAfterMilliseconds: 60_000,
    };
    const steps = fc.array(
      fc.oneof(gap, fc.constantFrom(-20_000, -500, 4_000, 8_000, 10_000, 59_999, 60_000, 100_000)),
      { minLength: 1, maxLength: 40 },
    );

    it('on any timeline, gives the same outcomes in Redis and in the process', async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (drawn) => {
          const times = timesOf(drawn);
          const algorithm = exponentialBackoff(settings);
          expect(await replay(redis, algorithm, freshKey(), times)).toEqual(
            meterOutcomes(algorithm, times),
          );
        }),
        RUNS,
      );
    });

    it('when every attempt comes as soon as it may, doubles the wait up to the longest', () => {
      const meter = exponentialBackoff(settings).createMeter();
      let now = START;
      for (let failures = 1; failures <= 12; failures += 1) {
        const { allowed, resetMilliseconds } = meter.take(now);
        expect(allowed).toBe(true);
        expect(resetMilliseconds).toBe(backoffModel(3, 1_000, 10_000, failures));
        if (resetMilliseconds > 0)
          expect(meter.take(now + resetMilliseconds - 1).allowed).toBe(false);
        now += resetMilliseconds;
      }
    });

    it('when nothing was tried for long enough, begins anew', () => {
      const meter = exponentialBackoff(settings).createMeter();
      for (let attempt = 0; attempt < 3; attempt += 1) meter.take(START);
      expect(meter.take(START + settings.forgetAfterMilliseconds)).toMatchObject({
        allowed: true,
        remaining: 2,
      });
    });
  });
});
