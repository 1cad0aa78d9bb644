import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { User } from '../../../../services/contracts/users.ts';
import { RecentWrites } from '../../../../services/user-api/cache/recent-writes.ts';
import { createRedis } from '../../../../services/user-api/cache/redis.ts';
import { RedisVersionedCache } from '../../../../services/user-api/cache/redis-versioned-cache.ts';
import type { VersionedEntry } from '../../../../services/user-api/cache/versioned-cache.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { UserReader } from '../../../../services/user-api/users/user-reader.ts';
import { describeWithRedis } from '../../../support/redis.ts';

const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });

describeWithRedis('RedisVersionedCache', (server) => {
  let redis: Redis;
  let cache: RedisVersionedCache;
  let id = 0;

  beforeAll(async () => {
    redis = createRedis(
      {
        url: server().url,
        username: undefined,
        password: undefined,
        commandTimeoutMilliseconds: 1_000,
      },
      logger,
    );
    await new Promise((resolve) => redis.once('ready', resolve));
    cache = new RedisVersionedCache(redis, 'test:');
  });
  afterAll(() => {
    redis.disconnect();
  });

  const entry = (version: number, body: string | null): VersionedEntry => ({
    version,
    body: body === null ? null : Buffer.from(body),
  });
  const plain = (found: VersionedEntry | null | undefined) =>
    found && { version: found.version, body: found.body && Buffer.from(found.body).toString() };

  it('gives back the bytes of what went in, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.option(fc.uint8Array({ maxLength: 300 })),
        async (version, body) => {
          id += 1;
          expect(await cache.raise(id, { version, body })).toBeNull();
          const found = await cache.get(id);
          expect(found?.version).toBe(version);
          expect(found?.body && Buffer.from(found.body)).toEqual(body && Buffer.from(body));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of what it does not have, gives null', async () => {
    expect(await cache.get(999_999_999)).toBeNull();
  });

  it('does not let an older version replace a newer one, and gives the newer', async () => {
    await cache.raise(1_000_001, entry(10, 'ten'));
    expect(plain(await cache.raise(1_000_001, entry(9, 'nine')))).toEqual({
      version: 10,
      body: 'ten',
    });
    expect(plain(await cache.get(1_000_001))).toEqual({ version: 10, body: 'ten' });
    expect(await cache.raise(1_000_001, entry(11, 'eleven'))).toBeNull();
    expect(plain(await cache.get(1_000_001))).toEqual({ version: 11, body: 'eleven' });
  });

  it('does not let a slow reader bring back what has been deleted', async () => {
    await cache.raise(1_000_002, entry(3, null));
    expect(plain(await cache.raise(1_000_002, entry(2, 'back')))).toEqual({
      version: 3,
      body: null,
    });
    expect(plain(await cache.get(1_000_002))).toEqual({ version: 3, body: null });
  });

  it('raised by many at once, ends with the newest', async () => {
    const versions = Array.from({ length: 50 }, (_, index) => index + 1).sort(
      () => Math.random() - 0.5,
    );
    await Promise.all(
      versions.map((version) => cache.raise(1_000_003, entry(version, `${version}`))),
    );
    expect(plain(await cache.get(1_000_003))).toEqual({ version: 50, body: '50' });
  });

  it('keeps nothing for ever', async () => {
    await cache.raise(1_000_004, entry(1, 'one'));
    await cache.raise(1_000_005, entry(1, null));
    for (const key of ['test:1000004', 'test:1000005']) {
      const left = await redis.pttl(key);
      expect(left).toBeGreaterThan(40_000);
      expect(left).toBeLessThanOrEqual(60_000);
    }
  });

  it.each([
    ['changed', '{"name":"Changed"}'],
    ['deleted', null],
  ])('lets no slow read answer with a user that has been %s meanwhile', async (_, body) => {
    id += 1;
    const readUser = Promise.withResolvers<User>();
    const reader = new UserReader({
      repository: { find: () => readUser.promise },
      readersMayLag: true,
      cache,
      recentWrites: new RecentWrites(),
    });
    const answer = reader.read(id);
    await cache.raise(id, entry(2, body));
    const instant = '2026-01-01T00:00:00.000Z';
    readUser.resolve({
      id,
      name: 'Old',
      email: 'old@example.com',
      status: 'active',
      createdAt: instant,
      updatedAt: instant,
      version: 1,
    });
    const found = await answer;
    expect(found && Buffer.from(found.body).toString()).toBe(body);
    expect((await cache.get(id))?.version).toBe(2);
  });

  it('with something else under its key, takes it for nothing and replaces it', async () => {
    for (const other of ['', 'nonsense', 'v\n', 'vx\nbody', 'x1\nbody']) {
      await redis.set('test:1000006', other);
      expect(await cache.get(1_000_006)).toBeNull();
      expect(await cache.raise(1_000_006, entry(1, 'one'))).toBeNull();
      expect(plain(await cache.get(1_000_006))).toEqual({ version: 1, body: 'one' });
    }
  });
});
