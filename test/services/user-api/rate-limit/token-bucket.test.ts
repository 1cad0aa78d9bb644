import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exponentialBackoff } from '../../../../services/user-api/rate-limit/algorithms/exponential-backoff.ts';
import { tokenBucket } from '../../../../services/user-api/rate-limit/algorithms/token-bucket.ts';
import { backoffModel, tokenBucketModel } from './support/reference-models.ts';
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

describeReplays('algorithms of rate limits with a memory', ({ replay }) => {
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
            const replayed = await replay(algorithm, times, () => TAKE_ONE);
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
            expect(await replay(algorithm, times, () => TAKE_ONE)).toEqual(
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
              algorithmWith(limit, windowSeconds, burst),
              times,
              (index) => [calls[index]?.spent ?? 0, calls[index]?.cost ?? 0],
            );
            const expected = tokenBucketModel(limit, windowSeconds * 1_000, burst, calls);
            // A call that only settles asks for nothing that could pass.
            const asks = calls.map(({ cost }) => cost > 0);
            expect(passes(outcomes)).toEqual(expected.map((passes, call) => passes && asks[call]));
          },
        ),
        RUNS,
      );
    });

    it('when a token takes a fraction of a millisecond more, does not give it before', async () => {
      // Seven in a second: one in 142.86 ms.
      const algorithm = algorithmWith(7, 1, 1);
      const take = async (time: number) =>
        passes(await replay(algorithm, [START, START + time], () => TAKE_ONE));
      expect(await take(142)).toEqual([true, false]);
      expect(await take(143)).toEqual([true, true]);
    });

    it('with the largest limit, burst and window, loses no token to rounding', async () => {
      const algorithm = algorithmWith(9_999_991, 86_399, 10_000_000);
      const [first, second] = await replay(algorithm, [START, START], (index) =>
        index === 0 ? [9_999_999, 0] : TAKE_ONE,
      );
      expect(first).toMatchObject({ remaining: 1 });
      expect(second).toMatchObject({ allowed: true, remaining: 0, resetMilliseconds: 9 });
    });
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
          expect(await replay(algorithm, times)).toEqual(meterOutcomes(algorithm, times));
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

    it('when nothing was tried for long enough, begins again', () => {
      const meter = exponentialBackoff(settings).createMeter();
      for (let attempt = 0; attempt < 3; attempt += 1) meter.take(START);
      expect(meter.take(START + settings.forgetAfterMilliseconds)).toMatchObject({
        allowed: true,
        remaining: 2,
      });
    });
  });
});
