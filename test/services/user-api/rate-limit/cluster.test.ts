import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { findFreePort } from '../../../../services/local/process/ports.ts';
import { startProcess } from '../../../../services/local/process/supervised-process.ts';
import {
  createRateLimits,
  type RateLimits,
} from '../../../../services/user-api/rate-limit/rate-limits.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { system } from '../../../support/system.ts';

const LOOPBACK = '127.0.0.1';
const NODES = 2;
const LAST_SLOT = 16_383;

function connectTo(port: number): Redis {
  const redis = new Redis(port, LOOPBACK);
  // A node that has just been started does not listen yet; the client tries again.
  redis.on('error', () => {});
  return redis;
}

/** Starts a Redis Cluster whose nodes share the slots; the guardian ends it. */
async function startCluster(guardian: Guardian, program: string): Promise<number[]> {
  const ports: number[] = [];
  const busPorts: number[] = [];
  for (let node = 0; node < NODES; node += 1) {
    const [port, busPort] = [await findFreePort(), await findFreePort()];
    const directory = guardian.createTemporaryDirectory('headroom-test-cluster-');
    const settings = {
      port: String(port),
      bind: LOOPBACK,
      dir: directory,
      save: '',
      'cluster-enabled': 'yes',
      'cluster-port': String(busPort),
    };
    await startProcess({
      name: `Redis Cluster node ${node + 1}`,
      command: program,
      arguments: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
      logFile: join(directory, 'redis.log'),
      guardian,
    });
    const redis = connectTo(port);
    const first = Math.floor((node * (LAST_SLOT + 1)) / NODES);
    const last = Math.floor(((node + 1) * (LAST_SLOT + 1)) / NODES) - 1;
    await redis.call('cluster', 'addslotsrange', first, last);
    for (const [index, other] of ports.entries()) {
      await redis.call('cluster', 'meet', LOOPBACK, other, busPorts[index] ?? 0);
    }
    await vi.waitFor(
      async () => {
        const expected = `cluster_known_nodes:${node + 1}`;
        expect(await redis.call('cluster', 'info')).toContain(expected);
      },
      { timeout: 20_000 },
    );
    redis.disconnect();
    ports.push(port);
    busPorts.push(busPort);
  }
  for (const port of ports) {
    const redis = connectTo(port);
    await vi.waitFor(
      async () => expect(await redis.call('cluster', 'info')).toContain('cluster_state:ok'),
      { timeout: 20_000 },
    );
    redis.disconnect();
  }
  return ports;
}

describeWithRedis('rate limits on a Redis Cluster', () => {
  let guardian: Guardian;
  let ports: number[];
  let cluster: Cluster;
  let limits: RateLimits;
  beforeAll(async () => {
    guardian = startGuardian();
    ports = await startCluster(guardian, system().redis?.path ?? '');
    const startupNodes = ports.map((port) => ({ host: LOOPBACK, port }));
    cluster = new Cluster(startupNodes, {
      enableOfflineQueue: false,
      redisOptions: { commandTimeout: 10_000 },
    });
    await new Promise((resolve) => cluster.once('ready', resolve));
    limits = createRateLimits({ redis: cluster });
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
