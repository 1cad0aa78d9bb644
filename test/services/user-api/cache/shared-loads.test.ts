import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { User } from '../../../../services/contracts/users.ts';
import { ReadsShed } from '../../../../services/user-api/cache/loads.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { createRedis, createSubscriber } from '../../../../services/user-api/redis/redis.ts';
import {
  createUserCaching,
  REPRESENTATION,
} from '../../../../services/user-api/users/user-caching.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });
const LOAD_MILLISECONDS = 50;
const READERS = 100;

/** A table of one process or more, which says how often it was read. The caches are real, and so is Redis. */
class CountedTable {
  reads = 0;
  atOnce = 0;
  mostAtOnce = 0;
  readonly rows = new Map<number, User>();

  readonly find = async (id: number): Promise<User | null> => {
    this.reads += 1;
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await wait(LOAD_MILLISECONDS);
    this.atOnce -= 1;
    return this.rows.get(id) ?? null;
  };

  add(id: number): void {
    const at = new Date(0).toISOString();
    const user = { name: 'Ada', email: 'ada@example.com', status: 'active' } as const;
    this.rows.set(id, { id, ...user, createdAt: at, updatedAt: at, version: 1 });
  }
}

describeWithRedis('loads from the database', (server) => {
  let redis: Redis;
  let way: TcpProxy;

  beforeEach(async () => {
    redis = new Redis(server().url);
    await redis.flushall();
    way = await startTcpProxy(server().url);
  });
  afterEach(async () => {
    redis.disconnect();
    await way.close();
  });

  async function startCaching(
    table: CountedTable,
    { databaseReadsMaximum = 1_000, nearCacheBytes = 1_000_000 } = {},
  ) {
    const settings = {
      url: way.through(server().url),
      username: undefined,
      password: undefined,
      commandTimeoutMilliseconds: 300,
    };
    const commands = createRedis(settings, logger);
    const caching = createUserCaching({
      repository: table,
      readersMayLag: false,
      redis: { commands, subscriber: createSubscriber(settings) },
      nearCacheBytes,
      databaseReadsMaximum,
      logger,
    });
    onTestFinished(() => {
      caching.close();
      commands.disconnect();
    });
    caching.start();
    await eventually(() => {
      expect(caching.near.isOpen).toBe(true);
      expect(commands.status).toBe('ready');
    });
    return caching;
  }

  it('of one user, by all readers of a process at once, are one', async () => {
    const table = new CountedTable();
    table.add(1);
    const { metrics, reader } = await startCaching(table);
    const found = await Promise.all(Array.from({ length: READERS }, () => reader.read(1)));
    expect(new Set(found.map((user) => user?.version))).toEqual(new Set([1]));
    expect(table.reads).toBe(1);
    expect(metrics.sharedLoads).toBeGreaterThan(0);
  });

  it('of a hot user, by the readers of several processes at once, are two at most', async () => {
    const table = new CountedTable();
    table.add(1);
    const cachings = await Promise.all([1, 2, 3, 4].map(() => startCaching(table)));
    const reads = cachings.flatMap(({ reader }) =>
      Array.from({ length: READERS }, () => reader.read(1)),
    );
    for (const user of await Promise.all(reads)) expect(user?.version).toBe(1);
    // One by who got the lease; another one by who asked before anybody knew that the user is hot.
    expect(table.reads).toBeLessThanOrEqual(2);
    expect(cachings.some(({ metrics }) => metrics.leaseWaits > 0)).toBe(true);
  });

  it('of an unknown id are not repeated for seconds, and a creation is seen at once', async () => {
    const table = new CountedTable();
    const caching = await startCaching(table);
    expect(await caching.reader.read(7)).toBeNull();
    await eventually(async () => expect(await redis.exists('user:7')).toBe(1));
    for (let read = 0; read < READERS; read += 1) expect(await caching.reader.read(7)).toBeNull();
    expect(table.reads).toBe(1);
    expect(await redis.pttl('user:7')).toBeLessThanOrEqual(5_000);
    await caching.writes.publish(7, { version: 1, body: Buffer.from('{}') });
    expect((await caching.reader.read(7))?.version).toBe(1);
    expect(table.reads).toBe(1);
  });

  it('of an entry in Redis that is about to end, begin before it does, once, and nobody waits', async () => {
    const table = new CountedTable();
    table.add(1);
    const { metrics, reader } = await startCaching(table, { nearCacheBytes: 0 });
    // It says of itself that it took a minute to load, and ends in a second.
    await redis.set('user:1', `v1 ${REPRESENTATION} ${Date.now() + 1_000} 60000\n{"old":true}`);
    const bodies: string[] = [];
    for (let read = 0; read < READERS; read += 1) {
      bodies.push(String((await reader.read(1))?.body));
    }
    expect(bodies[0]).toBe('{"old":true}');
    await eventually(async () => expect(await redis.get('user:1')).toContain('"Ada"'));
    expect(table.reads).toBe(1);
    expect(metrics.refreshes).toBeGreaterThanOrEqual(1);
  });

  it('while Redis is silent, are as many at once as there may be; other reads are refused', async () => {
    const table = new CountedTable();
    for (let id = 1; id <= READERS; id += 1) table.add(id);
    const { metrics, reader } = await startCaching(table, { databaseReadsMaximum: 10 });
    way.silence();
    const reads = Array.from({ length: READERS }, (_, index) => reader.read(index + 1));
    const outcomes = await Promise.allSettled(reads);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(outcomes.length - refused.length).toBe(10);
    expect(refused.every((one) => 'reason' in one && one.reason instanceof ReadsShed)).toBe(true);
    expect(table.mostAtOnce).toBe(10);
    expect(metrics).toMatchObject({ shed: READERS - 10, redisSilences: READERS });
  });
});
