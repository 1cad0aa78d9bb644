import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { redisKeyFormat, spaceOf } from '../../../../services/user-api/rate-limit/key.ts';
import {
  LeasedLimiter,
  leaseAllowance,
} from '../../../../services/user-api/rate-limit/leased-limiter.ts';
import { SharedLimiter } from '../../../../services/user-api/rate-limit/shared-limiter.ts';
import { startNodeProgram } from '../../../support/node-program.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import type { LeaseHolderMessage } from './programs/lease-holder.ts';
import { connectToRedis, sharedStateOn } from './support/connect.ts';
import { hammer, sumOf } from './support/hammers.ts';

const LEASE_HOLDER = fileURLToPath(new URL('./programs/lease-holder.ts', import.meta.url));
const PROCESSES = 4;
/** So long that nothing is refilled during a test: 400 tokens in a day are one in 216 s. */
const DAY_SECONDS = 86_400;

function policy(limit: number, windowSeconds: number, leasedShare: number) {
  return {
    name: 'test',
    algorithm: 'token-bucket',
    limit,
    windowSeconds,
    leasedShare,
    keyedBy: ['user'],
  } as const;
}

describeWithRedis('LeasedLimiter', (server) => {
  let redis: Redis;
  beforeAll(async () => {
    redis = await connectToRedis(server().url);
  });
  beforeEach(() => redis.flushall());
  afterAll(() => redis.disconnect());

  type Policy = ReturnType<typeof policy>;
  const limiterWith = (policy: Policy, options: { maximumKeys?: number } = {}) =>
    new LeasedLimiter({ policy, state: sharedStateOn(redis), ...options });
  /** Whole tokens that Redis has for the key. */
  const remainingInRedis = async (policy: Policy, key: string) => {
    const state = await redis.get(redisKeyFormat()(spaceOf(policy), key));
    if (state === null) return policy.limit;
    // Rounded down: a part of a token has been refilled meanwhile.
    return Math.floor(Number(state.split(' ')[0]) / (policy.windowSeconds * 1_000));
  };

  describe('with several processes', () => {
    it('when all hold full leases at the moment the bucket runs dry, passes processes × allowance too many, and no more after that', async () => {
      const limits = policy(400, DAY_SECONDS, 0.2);
      const allowance = leaseAllowance(limits, PROCESSES);
      const order = {
        url: server().url,
        policy: limits,
        key: 'user:1',
        expectedProcesses: PROCESSES,
      };
      const holders = Array.from({ length: PROCESSES }, () =>
        startNodeProgram<LeaseHolderMessage>(LEASE_HOLDER, [JSON.stringify(order)]),
      );
      onTestFinished(async () => {
        await Promise.all(holders.map((holder) => holder.end('SIGKILL')));
      });
      for (const holder of holders) await holder.next();
      const step = async (name: string) => {
        await redis.publish('step', name);
        const counts = await Promise.all(holders.map((holder) => holder.next()));
        return counts.reduce<number>((sum, count) => sum + Number(count), 0);
      };

      let passed = await step('take');
      // Somebody else uses up all that is left, asking for each.
      const exact = new SharedLimiter({ policy: limits, state: sharedStateOn(redis) });
      while ((await exact.decide('user:1')).allowed) passed += 1;
      expect(passed).toBe(400);

      expect(await step('spend')).toBe(PROCESSES * allowance);
      // Redis has been told: the excess is a debt, and nobody may add to it.
      expect(await remainingInRedis(limits, 'user:1')).toBe(-PROCESSES * allowance);
      expect(await step('spend')).toBe(0);
      expect(await step('ask')).toBe(0);
    });

    it('when they hammer one key, passes no less than the limit, and at most processes × allowance more', async () => {
      const limits = policy(400, DAY_SECONDS, 0.2);
      const reports = await hammer(redis, PROCESSES, {
        url: server().url,
        policy: limits,
        key: 'user:1',
        expectedProcesses: PROCESSES,
        concurrency: 20,
        until: { requests: 500 },
      });
      const allowed = sumOf(reports, 'allowed');
      expect(allowed).toBeGreaterThanOrEqual(400);
      expect(allowed).toBeLessThanOrEqual(400 + PROCESSES * leaseAllowance(limits, PROCESSES));
    });

    it('when they hammer one key while it is refilled, makes good what passed too many', async () => {
      const limits = policy(200, 1, 0.2);
      const reports = await hammer(redis, PROCESSES, {
        url: server().url,
        policy: limits,
        key: 'user:1',
        expectedProcesses: PROCESSES,
        concurrency: 5,
        until: { milliseconds: 2_000 },
      });
      const allowed = sumOf(reports, 'allowed');
      const froms = reports.map(({ from }) => from);
      const tos = reports.map(({ to }) => to);
      const longest = (Math.max(...tos) - Math.min(...froms)) / 1_000;
      const together = (Math.min(...tos) - Math.max(...froms)) / 1_000;
      const excess = PROCESSES * leaseAllowance(limits, PROCESSES);
      expect(allowed).toBeLessThanOrEqual(200 + 200 * longest + excess);
      // A tenth for tokens that came back while nobody was asking.
      expect(allowed).toBeGreaterThanOrEqual(0.9 * (200 + 200 * together));
    });
  });

  it('while Redis does not answer, passes as many as the allowance at once, and asks for the next', async () => {
    const limits = policy(400, DAY_SECONDS, 0.1);
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

  it('for a busy key far from its limit, tells Redis once for many requests, and waits for none', async () => {
    const limiter = limiterWith(policy(100_000, 60, 0.01));
    limiter.decideNow('user:1');
    await limiter.close();
    await redis.config('RESETSTAT');
    for (let request = 0; request < 10_000; request += 1) {
      expect(limiter.decideNow('user:1')).toMatchObject({ allowed: true, source: 'lease' });
      // A lease of 1,000 is renewed when half is spent; the answer takes a few turns of the event loop.
      if (request % 100 === 0) await redis.ping();
    }
    const commands = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1];
    expect(Number(commands)).toBeGreaterThanOrEqual(10);
    expect(Number(commands)).toBeLessThanOrEqual(30);
  });

  it('for a client whose requests are spread over many processes, takes no more tokens than requests', async () => {
    const limits = policy(400, DAY_SECONDS, 0.2);
    const limiters = Array.from({ length: 100 }, () => limiterWith(limits));
    for (const limiter of limiters) {
      expect(limiter.decideNow('user:1')).toMatchObject({ allowed: true });
    }
    await Promise.all(limiters.map((limiter) => limiter.close()));
    expect(await remainingInRedis(limits, 'user:1')).toBe(300);
  });

  it('when the quota was used up elsewhere, refuses as soon as Redis has told', async () => {
    const limits = policy(100, DAY_SECONDS, 0.1);
    const exact = new SharedLimiter({ policy: limits, state: sharedStateOn(redis) });
    while ((await exact.decide('user:1')).allowed);
    const limiter = limiterWith(limits);
    expect(limiter.decideNow('user:1')).toMatchObject({ allowed: true });
    await limiter.close();
    expect(limiter.decideNow('user:1')).toMatchObject({ allowed: false, source: 'remembered' });
  });

  it('when little is left, leases little, so that processes do not all promise it', async () => {
    const limits = policy(100, DAY_SECONDS, 1);
    const exact = new SharedLimiter({ policy: limits, state: sharedStateOn(redis) });
    for (let request = 0; request < 91; request += 1) await exact.decide('user:1');
    const limiter = limiterWith(limits);
    limiter.decideNow('user:1');
    await limiter.close();
    // Of the 8 left, a quarter.
    expect(limiter.decideNow('user:1')).toMatchObject({ allowed: true, remaining: 7 });
    expect(limiter.decideNow('user:1')).toMatchObject({ allowed: true, remaining: 6 });
    expect(limiter.decideNow('user:1')).toBeUndefined();
  });

  describe('with ten times more keys than it keeps', () => {
    it('keeps no more than it may, and tells Redis of every request all the same', async () => {
      const limits = policy(10, DAY_SECONDS, 0.5);
      const limiter = limiterWith(limits, { maximumKeys: 100 });
      let largest = 0;
      for (let index = 0; index < 1_000; index += 1) {
        for (let request = 0; request < 3; request += 1) limiter.decideNow(`user:${index}`);
        largest = Math.max(largest, limiter.size);
      }
      await limiter.close();
      expect(largest).toBeLessThanOrEqual(100);
      for (const index of [0, 1, 500, 999]) {
        expect(await remainingInRedis(limits, `user:${index}`)).toBe(7);
      }
    });

    it('lets a forgotten key that was refused pass an allowance more, and then refuses it again', async () => {
      const limits = policy(10, DAY_SECONDS, 0.2);
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
