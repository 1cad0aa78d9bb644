import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Algorithm } from '../../../../services/user-api/rate-limit/algorithms/algorithm.ts';
import { fixedWindow } from '../../../../services/user-api/rate-limit/algorithms/fixed-window.ts';
import { slidingWindow } from '../../../../services/user-api/rate-limit/algorithms/sliding-window.ts';
import {
  NOTHING_SPENT,
  tokenBucket,
} from '../../../../services/user-api/rate-limit/algorithms/token-bucket.ts';
import { fixedWindowModel, slidingWindowModel } from './support/reference-models.ts';
import { describeReplays } from './support/timeline-redis.ts';
import {
  gap,
  gaps,
  gapsAndSteps,
  limit,
  meterOutcomes,
  passes,
  RUNS,
  START,
  TAKE_ONE,
  timesOf,
  windowSeconds,
} from './support/timelines.ts';

describeReplays('the algorithms of rate limits', ({ replay, replayOn }) => {
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
          expect(passes(await replay(algorithm, times))).toEqual(expected);
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
            expect(await replay(algorithm, times)).toEqual(meterOutcomes(algorithm, times));
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
          expect(passes(await replay(algorithm, times))).toEqual(expected);
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
            expect(await replay(algorithm, times)).toEqual(meterOutcomes(algorithm, times));
          },
        ),
        RUNS,
      );
    });

    it('when the limit has been lowered, refuses until the log has shrunk below it', async () => {
      const times = Array.from({ length: 10 }, (_, index) => START + index * 100);
      await replay(algorithmWith(10, 5), times);
      const later = START + 1_000;
      const [refused] = await replayOn(algorithmWith(4, 5), [later]);
      // The seventh of ten must leave: three are fewer than four.
      const free = START + 600 + 5_000;
      expect(refused).toMatchObject({ allowed: false, retryAfterMilliseconds: free - later });
      const atLast = await replayOn(algorithmWith(4, 5), [free - 1, free]);
      expect(passes(atLast)).toEqual([false, true]);
    });
  });

  describe('every algorithm', () => {
    const requestsAtOnce = fc.array(fc.tuple(gap, fc.integer({ min: 1, max: 9 })), {
      minLength: 1,
      maxLength: 20,
    });
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
        const extra = () => (name === 'token bucket' ? TAKE_ONE : [1]);
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
              (await replay(algorithm, moments, extra)).at(-1)?.allowed;
            expect(await lastPasses(justBefore)).toBe(false);
            expect(await lastPasses(until)).toBe(true);
          }),
          { numRuns: 50 },
        );
      },
    );

    it.each(Object.entries(algorithms))(
      '%s: of requests that ask in one call, has the outcomes of requests that ask one after the other',
      async (name, algorithm) => {
        const spent = name === 'token bucket' ? [NOTHING_SPENT] : [];
        await fc.assert(
          fc.asyncProperty(requestsAtOnce, async (drawn) => {
            const times = timesOf(drawn.map(([gap]) => gap));
            const requests = drawn.map(([, requests]) => requests);
            const outcomes = await replay(algorithm, times, (index) => [
              ...spent,
              requests[index] ?? 1,
            ]);
            const timeOfEach = times.flatMap((time, index) =>
              Array.from({ length: requests[index] ?? 1 }, () => time),
            );
            expect(outcomes).toEqual(meterOutcomes(algorithm, timeOfEach));
          }),
          RUNS,
        );
      },
    );

    it.each(Object.entries(algorithms))(
      '%s: of requests at one moment, passes as many more as it says remain',
      async (name, algorithm) => {
        const extra = () => (name === 'token bucket' ? TAKE_ONE : [1]);
        await fc.assert(
          fc.asyncProperty(gaps, async (steps) => {
            const times = timesOf(steps);
            const last = times.at(-1) ?? START;
            const rest = Array.from({ length: 10 }, () => last);
            const outcomes = await replay(algorithm, [...times, ...rest], extra);
            const passed = outcomes.slice(times.length).filter(({ allowed }) => allowed).length;
            expect(passed).toBe(outcomes[times.length - 1]?.remaining);
          }),
          { numRuns: 50 },
        );
      },
    );
  });
});
