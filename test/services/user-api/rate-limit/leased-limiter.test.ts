import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  LeasedLimiter,
  leaseAllowance,
} from '../../../../services/user-api/rate-limit/leased-limiter.ts';
import { SharedLimiter } from '../../../../services/user-api/rate-limit/shared-limiter.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { connectToRedis, sharedStateOn } from './support/connect.ts';
import { DAY_SECONDS, leasedPolicy } from './support/policies.ts';
import { callsOf, connectForSuite, remainingInRedis } from './support/suite-redis.ts';

describeWithRedis('LeasedLimiter', (server) => {
  let redis: Redis;
  connectForSuite(server, (connected) => {
    redis = connected;
  });

  type Policy = ReturnType<typeof leasedPolicy>;
  const limiterWith = (policy: Policy, options: { maximumKeys?: number } = {}) =>
    new LeasedLimiter({ policy, state: sharedStateOn(redis), ...options });
  it('while Redis does not respond, passes as many as the allowance at once, and asks for the next', async () => {
    const limits = leasedPolicy(400, DAY_SECONDS, 0.1);
    const limiter = limiterWith(limits);
    const other = await connectToRedis(server().url);
    onTestFinished(() => other.disconnect());
    await other.client('PAUSE', 300, 'ALL');
    const sources = Array.from({ length: 40 }, () => limiter.decideNow('user:1')?.source);
    expect(new Set(sources)).toEqual(new Set(['lease']));
    expect(limiter.decideNow('user:1')).toBeUndefined();
    const asked = limiter.decide('user:1');
    expect(asked).toBeInstanceOf(Promise);
    expect(await asked).toMatchObject({ allowed: true, source: 'redis', remaining: 359 });
  });

  it('for a busy key far from its limit, notifies Redis once for many requests, and waits for none', async () => {
    const limits = leasedPolicy(100_000, DAY_SECONDS, 0.01);
    const limiter = limiterWith(limits);
    await redis.config('RESETSTAT');
    for (let request = 0; request < 10_000; request += 1) {
      expect(limiter.decideNow('user:1')).toMatchObject({ allowed: true, source: 'lease' });
      // Redis is notified when a quarter of the 1,000 is left; its response takes a few ticks of the event loop.
      if (request % 50 === 0) await redis.ping();
    }
    await limiter.close();
    expect(await callsOf(redis, 'evalsha')).toBeLessThanOrEqual(20);
    const unpublished = 100_000 - 10_000 - (await remainingInRedis(redis, limits, 'user:1'));
    expect(Math.abs(unpublished)).toBeLessThanOrEqual(leaseAllowance(limits, 1));
  });

  it('for many keys that are used little, does not ask Redis at all', async () => {
    const limiter = limiterWith(leasedPolicy(400, DAY_SECONDS, 0.05));
    await redis.config('RESETSTAT');
    for (let index = 0; index < 1_000; index += 1) {
      for (let request = 0; request < 14; request += 1) limiter.decideNow(`user:${index}`);
    }
    await limiter.close();
    expect(await callsOf(redis, 'evalsha')).toBe(0);
    // A little more is three quarters of what may be unpublished.
    limiter.decideNow('user:1');
    limiter.decideNow('user:1');
    await limiter.close();
    expect(await callsOf(redis, 'evalsha')).toBe(1);
  });

  it('for a client whose requests are spread over many processes, passes no less than the limit', async () => {
    const limits = leasedPolicy(400, DAY_SECONDS, 0.2);
    const limiters = Array.from({ length: 100 }, () => limiterWith(limits));
    let passed = 0;
    for (let request = 0; request < 400; request += 1) {
      if ((await limiters[request % 100]?.decide('user:1'))?.allowed) passed += 1;
    }
    expect(passed).toBe(400);
  });

  it('as time passes, forgives an allowance per window and no more', async () => {
    let now = 0;
    const limits = leasedPolicy(400, DAY_SECONDS, 0.05);
    const limiter = new LeasedLimiter({
      policy: limits,
      state: sharedStateOn(redis),
      clock: () => now,
    });
    // A request each 20th of a window is just what is forgiven; Redis counts none of them.
    for (let request = 0; request < 200; request += 1) {
      expect(limiter.decideNow('user:1')).toMatchObject({ allowed: true, remaining: 399 });
      now += (DAY_SECONDS * 1_000) / 20;
    }
    await limiter.close();
    expect(await redis.keys('*')).toEqual([]);
    // Twice as often: half are forgiven, and Redis counts the others.
    for (let request = 0; request < 200; request += 1) {
      await limiter.decide('user:1');
      await limiter.close();
      now += (DAY_SECONDS * 1_000) / 40;
    }
    const published = 400 - (await remainingInRedis(redis, limits, 'user:1'));
    expect(published).toBeGreaterThanOrEqual(80);
    expect(published).toBeLessThanOrEqual(110);
  });

  it('when the quota was used up elsewhere, refuses as soon as Redis has replied', async () => {
    const limits = leasedPolicy(100, DAY_SECONDS, 0.01);
    const exact = new SharedLimiter({ policy: limits, state: sharedStateOn(redis) });
    while ((await exact.decide('user:1')).allowed);
    const limiter = limiterWith(limits);
    expect(limiter.decideNow('user:1')).toMatchObject({ allowed: true });
    await limiter.close();
    expect(limiter.decideNow('user:1')).toMatchObject({ allowed: false, source: 'remembered' });
  });

  it('when little is left, leases little, so that processes do not all promise it', async () => {
    const limits = leasedPolicy(100, DAY_SECONDS, 0.04);
    const exact = new SharedLimiter({ policy: limits, state: sharedStateOn(redis) });
    for (let request = 0; request < 89; request += 1) await exact.decide('user:1');
    const limiter = limiterWith(limits);
    const passing = () => {
      let passed = 0;
      while (limiter.decideNow('user:1')?.allowed) passed += 1;
      return passed;
    };
    expect(passing()).toBe(4);
    await limiter.close();
    // Of the 7 left, a quarter.
    expect(passing()).toBe(2);
    await limiter.close();
    expect(passing()).toBe(2);
    await limiter.close();
    expect(passing()).toBe(1);
  });

  describe('with ten times more keys than it keeps', () => {
    it('keeps no more than it may', async () => {
      const limiter = limiterWith(leasedPolicy(10, DAY_SECONDS, 0.5), { maximumKeys: 100 });
      for (let index = 0; index < 1_000; index += 1) {
        limiter.decideNow(`user:${index}`);
        expect(limiter.size).toBeLessThanOrEqual(100);
      }
    });

    it('lets a forgotten key that was refused pass an allowance more, and then refuses it again', async () => {
      const limits = leasedPolicy(10, DAY_SECONDS, 0.2);
      const allowance = leaseAllowance(limits, 1);
      const limiter = limiterWith(limits, { maximumKeys: 100 });
      while ((await limiter.decide('user:0')).allowed);
      for (let index = 1; index <= 1_000; index += 1) limiter.decideNow(`user:${index}`);
      await limiter.close();
      let passed = 0;
      while ((await limiter.decide('user:0')).allowed) passed += 1;
      expect(passed).toBeLessThanOrEqual(allowance);
    });
  });
});
