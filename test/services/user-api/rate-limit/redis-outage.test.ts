import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RoutePolicyName } from '../../../../services/user-api/rate-limit/default-policies.ts';
import {
  createRateLimits,
  type RateLimits,
} from '../../../../services/user-api/rate-limit/rate-limits.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { connectToRedis } from './support/connect.ts';
import { hammersForSuite, sumOf } from './support/hammers.ts';

const COMMAND_TIMEOUT_MILLISECONDS = 200;
const EXPECTED_PROCESSES = 2;
/** Hours, so that nothing comes back during a test. */
const LIMITS = ['reads=40/36000', 'creates=20/36000', 'updates=20/36000', 'deletes=20/36000'];

describeWithRedis('rate limits, when Redis goes away', (server) => {
  let redis: Redis;
  let limits: RateLimits;
  const takenOver = vi.fn();
  const handedBack = vi.fn();
  beforeEach(async () => {
    takenOver.mockClear();
    handedBack.mockClear();
    redis = await connectToRedis(server().url, COMMAND_TIMEOUT_MILLISECONDS);
    await redis.flushall();
    limits = createRateLimits({
      redis,
      overrides: LIMITS,
      expectedProcesses: EXPECTED_PROCESSES,
      onRedisDown: takenOver,
      onRedisUp: handedBack,
    });
  });
  afterEach(async () => {
    await limits.close();
    redis.disconnect();
  });

  const decide = async (name: RoutePolicyName, key = 'user:1') =>
    await limits.limiters[name].decide(key);
  /** Requests of a key that pass until one is refused. */
  const passing = async (name: RoutePolicyName, key: string) => {
    let passed = 0;
    while ((await decide(name, key)).allowed) passed += 1;
    return passed;
  };
  const processIdOf = async () => Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
  const untilHandedBack = () => eventually(() => expect(limits.shared).toBe(true));

  it.each(['creates', 'updates', 'reads'] as const)(
    'killed and started again: %s are decided in the process meanwhile, and by Redis afterwards',
    async (name) => {
      await decide(name);
      expect(limits.shared).toBe(true);
      await server().stop();
      try {
        // Takes over with the first decision that needs Redis; a lease that lasts needs none.
        await eventually(async () => {
          const key = `user:${Math.random()}`;
          for (let request = 0; request < 3; request += 1) await decide(name, key);
          expect(limits.shared).toBe(false);
        });
        expect(takenOver).toHaveBeenCalledOnce();
        expect(await decide(name, 'user:2')).toMatchObject({ allowed: true, source: 'in-process' });
        expect(limits.limiters[name].decideNow('user:2')).toMatchObject({ source: 'in-process' });
        // Each process gives its share, whatever Redis had counted.
        const share = limits.limiters[name].policy.limit / EXPECTED_PROCESSES;
        expect(await passing(name, 'user:3')).toBe(share);
      } finally {
        await server().start();
      }
      await untilHandedBack();
      expect(handedBack).toHaveBeenCalledOnce();
      const sources = [];
      for (let request = 0; request < 3; request += 1) {
        sources.push((await decide(name, 'user:4')).source);
      }
      expect(sources).not.toContain('in-process');
      await limits.close();
      expect(await redis.keys('rate-limit:*')).not.toHaveLength(0);
    },
  );

  it('stopped without closing its connections: all requests are decided, only the first wait, and Redis decides again once it goes on', async () => {
    await decide('creates', 'user:0');
    const processId = await processIdOf();
    process.kill(processId, 'SIGSTOP');
    onTestFinished(() => {
      process.kill(processId, 'SIGCONT');
    });
    const waited = await Promise.all(
      Array.from({ length: 50 }, (_, index) => decide('creates', `user:${index}`)),
    );
    expect(waited.every(({ allowed, source }) => allowed && source === 'in-process')).toBe(true);
    expect(takenOver).toHaveBeenCalledOnce();
    expect(takenOver.mock.lastCall?.[0]).toMatchObject({ message: 'Command timed out' });
    // From here on nothing waits: every policy is decided without a promise.
    for (const limiter of Object.values(limits.limiters)) {
      expect(limiter.decideNow('user:1')).toMatchObject({ source: 'in-process' });
    }
    process.kill(processId, 'SIGCONT');
    await untilHandedBack();
    expect(await decide('creates', 'user:new')).toMatchObject({ source: 'redis' });
  });

  it('stopped while leases are held: goes on passing from them, and publishes it later', async () => {
    // Of the two that may be unpublished, this is the first.
    expect(await decide('reads')).toMatchObject({ source: 'lease' });
    const processId = await processIdOf();
    process.kill(processId, 'SIGSTOP');
    onTestFinished(() => {
      process.kill(processId, 'SIGCONT');
    });
    expect(await decide('reads')).toMatchObject({ source: 'lease' });
    await eventually(() => expect(limits.shared).toBe(false));
    process.kill(processId, 'SIGCONT');
    await untilHandedBack();
    expect(await decide('reads')).toMatchObject({ source: 'redis' });
    const [key = ''] = await redis.keys('*');
    const remaining = Math.floor(Number((await redis.get(key))?.split(' ')[0]) / 36_000_000);
    // All three; the first two twice if the command that timed out was carried out all the same.
    expect([35, 37]).toContain(remaining);
  });

  it('not there when the process starts: decides in the process, and hands over when it comes', async () => {
    await server().stop();
    try {
      await eventually(() => expect(redis.status).not.toBe('ready'));
      expect(await decide('creates')).toMatchObject({ allowed: true, source: 'in-process' });
    } finally {
      await server().start();
    }
    await untilHandedBack();
    expect(await decide('creates')).toMatchObject({ source: 'redis' });
  });

  it('over and over: passes the limit and the share of the process once, though each new server knows nothing', async () => {
    let passed = await passing('creates', 'user:1');
    for (let outage = 0; outage < 2; outage += 1) {
      await server().stop();
      await eventually(async () => {
        await decide('creates', `user:${Math.random()}`);
        expect(limits.shared).toBe(false);
      });
      passed += await passing('creates', 'user:1');
      await server().start();
      await untilHandedBack();
      passed += await passing('creates', 'user:1');
    }
    expect(passed).toBe(20 + 20 / EXPECTED_PROCESSES);
  });

  describe('while several processes hammer one key', () => {
    const processes = 4;
    const limit = 20_000;
    const share = limit / processes;
    const hammer = hammersForSuite(processes);
    const order = () => ({
      url: server().url,
      policy: {
        name: 'test',
        algorithm: 'fixed-window',
        limit,
        windowSeconds: 36_000,
        keyedBy: ['user'],
      } as const,
      key: 'user:1',
      expectedProcesses: processes,
      commandTimeoutMilliseconds: COMMAND_TIMEOUT_MILLISECONDS,
      concurrency: 5,
      until: { milliseconds: 500, sources: ['redis', 'in-process'] as const },
    });

    it('stopped and continued: passes at most the limit, and the share of each process', async () => {
      const processId = await processIdOf();
      const reports = await hammer(redis, order(), async (allHad) => {
        await allHad('redis');
        process.kill(processId, 'SIGSTOP');
        try {
          await allHad('in-process');
        } finally {
          process.kill(processId, 'SIGCONT');
        }
      });
      for (const { counts } of reports) {
        expect(counts.redis.allowed).toBeGreaterThan(0);
        expect(counts['in-process'].allowed).toBeGreaterThan(0);
        expect(counts['in-process'].allowed).toBeLessThanOrEqual(share);
      }
      expect(sumOf(reports, 'allowed')).toBeLessThanOrEqual(limit + processes * share);
    });

    it('killed and started empty: passes at most what each of the two servers allows, and the share of each process', async () => {
      const reports = await hammer(redis, order(), async (allHad) => {
        await allHad('redis');
        await server().stop();
        try {
          await allHad('in-process');
        } finally {
          await server().start();
        }
      });
      for (const { counts } of reports) {
        expect(counts['in-process'].allowed).toBeGreaterThan(0);
        expect(counts['in-process'].allowed).toBeLessThanOrEqual(share);
      }
      expect(sumOf(reports, 'allowed')).toBeLessThanOrEqual(2 * limit + processes * share);
    });
  });

  it('login backoff: counts in the process meanwhile', async () => {
    await server().stop();
    try {
      const attempts = [];
      for (let attempt = 0; attempt < 6; attempt += 1) {
        attempts.push((await limits.loginBackoff.attempt('a@example.com')).allowed);
      }
      expect(attempts).toEqual([true, true, true, true, true, false]);
      await limits.loginBackoff.succeeded('a@example.com');
      expect(await limits.loginBackoff.attempt('a@example.com')).toMatchObject({ allowed: true });
    } finally {
      await server().start();
    }
  });
});
