import type { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import {
  createRateLimits,
  type RateLimits,
} from '../../../../services/user-api/rate-limit/rate-limits.ts';
import { createRedisCluster } from '../../../../services/user-api/redis/redis.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { startRedisCluster } from '../../../support/redis-cluster.ts';

const NODES = 2;
/** A day long, so that nothing comes back during the test, however busy the machine. */
const LIMITS = ['creates', 'updates', 'deletes', 'logins'].map((name) => `${name}=20/86400`);

describeWithRedis('rate limits on a Redis Cluster', () => {
  let guardian: Guardian;
  let cluster: Cluster;
  let limits: RateLimits;
  beforeAll(async () => {
    guardian = startGuardian();
    const [node] = await startRedisCluster(guardian, NODES);
    cluster = createRedisCluster(
      {
        url: node?.url ?? '',
        username: undefined,
        password: undefined,
        commandTimeoutMilliseconds: 10_000,
      },
      createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' }),
    );
    await new Promise((resolve) => cluster.once('ready', resolve));
    limits = createRateLimits({ redis: cluster, overrides: LIMITS });
  });
  afterAll(async () => {
    await limits.close();
    cluster.disconnect();
    await guardian.close();
  });

  it('for keys on all nodes, counts every policy there, exactly', async () => {
    const { reads, ...exact } = limits.limiters;
    for (const limiter of Object.values(exact)) {
      for (let user = 0; user < 10; user += 1) {
        let passed = 0;
        while ((await limiter.decide(`user:${user}`)).allowed) passed += 1;
        expect(passed).toBe(limiter.policy.limit);
      }
      expect(limiter.counts['in-process']).toEqual({ allowed: 0, refused: 0 });
    }
    for (let request = 0; request < 200; request += 1) await reads.decide('user:1');
    await reads.close();
    expect((await limits.loginBackoff.attempt('somebody@example.com')).allowed).toBe(true);
    await limits.loginBackoff.succeeded('somebody@example.com');
    expect(limits.shared).toBe(true);

    const sizes = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()));
    expect(sizes).toHaveLength(NODES);
    // Forty keys of the exact policies and one of reads; the login's is gone.
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(41);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });
});
