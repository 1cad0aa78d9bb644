import type { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { redisKeyFormat } from '../../../../services/user-api/rate-limit/key.ts';
import type { RateLimitPolicy } from '../../../../services/user-api/rate-limit/policy.ts';
import { SharedLimiter } from '../../../../services/user-api/rate-limit/shared-limiter.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { sharedStateOn } from './support/connect.ts';
import { HOUR_SECONDS, policy } from './support/policies.ts';
import { callsOf, connectForSuite } from './support/suite-redis.ts';

describeWithRedis('SharedLimiter', (server) => {
  let redis: Redis;
  connectForSuite(server, (connected) => {
    redis = connected;
  });
  const limiterWith = (policy: RateLimitPolicy, clock?: () => number) =>
    new SharedLimiter({ policy, state: sharedStateOn(redis), ...(clock && { clock }) });

  it('for each request, makes one round trip of one command', async () => {
    const limiter = limiterWith(policy('sliding-window', 1_000, 60));
    await limiter.decide('user:1');
    await redis.config('RESETSTAT');
    for (let request = 0; request < 50; request += 1) await limiter.decide('user:1');
    expect(await callsOf(redis, 'evalsha')).toBe(50);
    expect(await callsOf(redis, 'eval')).toBe(0);
  });

  it('for requests that come at once, makes one round trip for each key, and decides as if they had come one after the other', async () => {
    const limiter = limiterWith(policy('sliding-window', 5, 60));
    await limiter.decide('user:3');
    await redis.config('RESETSTAT');
    const keys = ['user:1', 'user:2', 'user:1', 'user:1', 'user:1', 'user:2', 'user:1', 'user:1'];
    const decisions = await Promise.all(keys.map((key) => limiter.decide(key)));
    const seen = (wanted: string) =>
      decisions
        .filter((_, index) => keys[index] === wanted)
        .map(({ allowed, remaining, source }) => ({ allowed, remaining, source }));
    const passed = (remaining: number) => ({ allowed: true, remaining, source: 'redis' });
    expect(seen('user:1')).toEqual([
      ...[4, 3, 2, 1, 0].map(passed),
      { allowed: false, remaining: 0, source: 'redis' },
    ]);
    expect(seen('user:2')).toEqual([4, 3].map(passed));
    expect(await callsOf(redis, 'evalsha')).toBe(2);
    expect(limiter.decideNow('user:1')).toMatchObject({ allowed: false, source: 'remembered' });
    expect(limiter.decideNow('user:2')).toBeUndefined();
  });

  it('of requests that come at once, decides those in this process whose key Redis cannot count, and no other', async () => {
    const limiter = limiterWith(policy('fixed-window', 5, 60));
    await redis.lpush(redisKeyFormat()('test:fixed-window:60', 'user:1'), 'x');
    const decisions = await Promise.all(
      ['user:1', 'user:2', 'user:1'].map((key) => limiter.decide(key)),
    );
    expect(decisions.map(({ source }) => source)).toEqual(['in-process', 'redis', 'in-process']);
  });

  it('when Redis has forgotten its scripts, goes on', async () => {
    const limiter = limiterWith(policy('fixed-window', 5, 60));
    await limiter.decide('user:1');
    await redis.script('FLUSH');
    expect(await limiter.decide('user:1')).toMatchObject({ source: 'redis', remaining: 3 });
  });

  it('after a refusal, refuses the key without asking Redis, until the time that Redis gave', async () => {
    let now = 0;
    const limiter = limiterWith(policy('fixed-window', 2, 60), () => now);
    await limiter.decide('user:1');
    await limiter.decide('user:1');
    const refusal = await limiter.decide('user:1');
    expect(refusal).toMatchObject({ allowed: false, source: 'redis' });
    await redis.config('RESETSTAT');
    now = refusal.retryAfterMilliseconds - 1;
    expect(limiter.decideNow('user:1')).toMatchObject({
      allowed: false,
      source: 'remembered',
      retryAfterMilliseconds: 1,
    });
    expect(await callsOf(redis, 'evalsha')).toBe(0);
    now += 1;
    expect(limiter.decideNow('user:1')).toBeUndefined();
  });

  it('for different keys and policies, counts apart', async () => {
    const creates = limiterWith(policy('fixed-window', 1, 60));
    const deletes = limiterWith({ ...policy('fixed-window', 1, 60), name: 'other' });
    expect(await creates.decide('user:1')).toMatchObject({ allowed: true });
    expect(await creates.decide('user:2')).toMatchObject({ allowed: true });
    expect(await deletes.decide('user:1')).toMatchObject({ allowed: true });
    expect(await creates.decide('user:1')).toMatchObject({ allowed: false });
  });

  it('in Redis, leaves nothing that names the client, and nothing that stays', async () => {
    for (const algorithm of ['fixed-window', 'sliding-window', 'token-bucket'] as const) {
      await limiterWith(policy(algorithm, 5, 60)).decide('address:203.0.113.7');
    }
    const keys = await redis.keys('*');
    expect(keys).toHaveLength(3);
    for (const key of keys) {
      expect(key).not.toContain('203');
      const lifetime = await redis.pttl(key);
      expect(lifetime).toBeGreaterThan(0);
      expect(lifetime).toBeLessThanOrEqual(60_000);
    }
  });

  it('when what Redis holds under the key is of another kind, decides in this process and does not give Redis up', async () => {
    const state = sharedStateOn(redis);
    const limiter = new SharedLimiter({ policy: policy('fixed-window', 5, 60), state });
    await redis.lpush(redisKeyFormat()('test:fixed-window:60', 'user:1'), 'x');
    expect(await limiter.decide('user:1')).toMatchObject({ allowed: true, source: 'in-process' });
    expect(state.health.isUp).toBe(true);
  });

  it('when a thousand keys were refused in turn, remembers no more than it may', async () => {
    const limiter = new SharedLimiter({
      policy: policy('fixed-window', 1, HOUR_SECONDS),
      state: sharedStateOn(redis),
      maximumKeys: 100,
    });
    const keys = Array.from({ length: 1_000 }, (_, index) => `user:${index}`);
    for (const key of [...keys, ...keys]) await limiter.decide(key);
    const remembered = keys.filter((key) => limiter.decideNow(key) !== undefined);
    expect(remembered.length).toBeGreaterThanOrEqual(50);
    expect(remembered.length).toBeLessThanOrEqual(100);
    // A forgotten refusal costs a question, not a request that passes.
    expect(await limiter.decide('user:0')).toMatchObject({ allowed: false, source: 'redis' });
  });
});
