import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { Span } from '../../../../services/contracts/tracing/span.ts';
import { inSpan } from '../../../../services/contracts/tracing/trace-context.ts';
import { RedisVersionedCache } from '../../../../services/user-api/cache/redis-versioned-cache.ts';
import type { EntryOrigin } from '../../../../services/user-api/cache/versioned-cache.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { createRedis } from '../../../../services/user-api/redis/redis.ts';
import { describeWithRedis } from '../../../support/redis.ts';

const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });
const CHANNEL = 'test:writes';
/** A command that is never settled fails a test soon. */
const TIMEOUT_MILLISECONDS = 5_000;
const BODY = Buffer.from('{}');
/** Timeouts after which reads leave Redis alone. */
const FAILURES = 5;
const MANY = 120;
/** How many runs of the script that many entries take, 50 in each. */
const RUNS = 3;

/** A span that records nothing, to be inside of one. */
const span: Span = {
  parent: { traceId: '0'.repeat(31) + 1, spanId: '0'.repeat(15) + 1, sampled: true },
  child: () => span,
  rename: () => {},
  set: () => {},
  fail: () => {},
  end: () => {},
};

describeWithRedis(
  'RedisVersionedCache, of a Redis that refuses or is away',
  (server) => {
    let redis: Redis;
    let listener: Redis;
    let cache: RedisVersionedCache;
    let messages: string[];

    const connect = async () => {
      const settings = { username: undefined, password: undefined };
      const client = createRedis(
        { ...settings, url: server().url, commandTimeoutMilliseconds: 5_000 },
        logger,
      );
      await new Promise((resolve) => client.once('ready', resolve));
      return client;
    };

    beforeAll(async () => {
      redis = await connect();
      listener = await connect();
      await listener.subscribe(CHANNEL);
      listener.on('message', (_, message: string) => messages.push(message));
    });
    beforeEach(async () => {
      messages = [];
      cache = new RedisVersionedCache(redis, {
        keyPrefix: 'test:',
        representation: '1',
        channel: CHANNEL,
      });
      await redis.flushall();
    });
    afterEach(async () => {
      await redis.config('SET', 'maxmemory', '0', 'min-replicas-to-write', '0');
    });
    afterAll(() => {
      redis.disconnect();
      listener.disconnect();
    });

    const setIfNewer = (id: number, version: number, origin: EntryOrigin) =>
      cache.setIfNewer(id, { version, body: BODY }, { origin });
    const scriptRuns = async () => {
      const statistics = await redis.info('commandstats');
      return Number(/cmdstat_evalsha:calls=(\d+)/.exec(statistics)?.[1] ?? 0);
    };
    /** The messages since the last call. */
    const takeMessages = async () => {
      await listener.ping();
      return messages.splice(0);
    };

    it('goes on asking after error replies, however many: those cost no wait', async () => {
      await redis.rpush('test:1', 'a list, which no entry is');
      for (let turn = 0; turn <= FAILURES; turn += 1) {
        expect(await setIfNewer(1, 1, 'load')).toBeUndefined();
        expect(await inSpan(span, () => cache.get(1))).toBeUndefined();
      }
      expect(await setIfNewer(2, 1, 'load')).toBeNull();
      expect(await cache.get(2)).toMatchObject({ version: 1, fresh: true });
    });

    it('of a write that fails says so, and throws nothing', async () => {
      for (const id of [1, 2]) await redis.rpush(`test:${id}`, 'a list, which no entry is');
      expect(await setIfNewer(1, 1, 'write')).toBeUndefined();
      expect(await inSpan(span, () => setIfNewer(2, 1, 'write'))).toBeUndefined();
    });

    it('notifies of a write that is refused once, not at each retry', async () => {
      await setIfNewer(1, 1, 'write');
      expect(await takeMessages()).toEqual(['1 1']);
      await redis.config('SET', 'min-replicas-to-write', '1');
      expect(await setIfNewer(1, 2, 'write')).toBeUndefined();
      expect(await takeMessages()).toEqual(['1 2']);
      for (let retry = 0; retry < 3; retry += 1) {
        expect(await setIfNewer(1, 2, 'earlier write')).toBeUndefined();
      }
      expect(await takeMessages()).toEqual([]);
      // Such a Redis lets nobody drop what it has.
      expect(await cache.get(1)).toMatchObject({ version: 1 });
    });

    it('notifies at a retry that drops an older entry from a full Redis, and not at those after it', async () => {
      await setIfNewer(1, 1, 'write');
      await takeMessages();
      await redis.config('SET', 'maxmemory', '1');
      expect(await setIfNewer(1, 2, 'earlier write')).toBeUndefined();
      expect(await takeMessages()).toEqual(['1 2']);
      expect(await cache.get(1)).toBeNull();
      for (let retry = 0; retry < 3; retry += 1) {
        expect(await setIfNewer(1, 2, 'earlier write')).toBeUndefined();
      }
      expect(await takeMessages()).toEqual([]);
    });

    it('puts an earlier write in as a minimum version only, and leaves an entry of that version alone', async () => {
      expect(await setIfNewer(1, 2, 'earlier write')).toBeNull();
      expect(await cache.get(1)).toMatchObject({ version: 2, fresh: false });
      expect(await redis.pttl('test:1')).toBeGreaterThan(590_000);
      expect(await setIfNewer(2, 2, 'write')).toBeNull();
      expect(await setIfNewer(2, 2, 'earlier write')).toMatchObject({ version: 2, fresh: true });
      expect(await cache.get(2)).toMatchObject({ version: 2, fresh: true });
      expect(await takeMessages()).toEqual(['1 2', '2 2']);
    });

    it('without a connection asks nothing, and lets everybody load', async () => {
      const away = await connect();
      const tested = new RedisVersionedCache(away, {
        keyPrefix: 'test:',
        representation: '1',
        channel: CHANNEL,
      });
      expect(await tested.isUp()).toBe(true);
      const gone = new Promise((resolve) => away.once('end', resolve));
      away.disconnect();
      await gone;
      const sent = vi.spyOn(away, 'sendCommand');
      expect(await tested.isUp()).toBe(false);
      expect(await tested.get(1)).toBeUndefined();
      expect(await tested.lease(1)).toBe(true);
      for (const origin of ['load', 'write', 'earlier write'] as const) {
        const options = { origin };
        expect(await tested.setIfNewer(1, { version: 1, body: BODY }, options)).toBeUndefined();
      }
      expect(sent).not.toHaveBeenCalled();
    });

    it('says that it is not up, and gives nothing, when Redis does not reply in time', async () => {
      const hasty = createRedis(
        {
          url: server().url,
          username: undefined,
          password: undefined,
          commandTimeoutMilliseconds: 20,
        },
        logger,
      );
      onTestFinished(() => hasty.disconnect());
      await new Promise((resolve) => hasty.once('ready', resolve));
      const tested = new RedisVersionedCache(hasty, {
        keyPrefix: 'test:',
        representation: '1',
        channel: CHANNEL,
      });
      await redis.client('PAUSE', 60, 'ALL');
      expect(await Promise.all([tested.isUp(), tested.get(1)])).toEqual([false, undefined]);
      await redis.ping();
      expect(await tested.isUp()).toBe(true);
    });

    it('keeps how long a load took, in whole milliseconds from 1 on', async () => {
      for (const [id, loadMilliseconds, kept] of [
        [1, 0.2, 1],
        [2, 7.1, 8],
        [3, undefined, 1],
      ] as const) {
        const options = { origin: 'load', ...(loadMilliseconds && { loadMilliseconds }) } as const;
        await cache.setIfNewer(id, { version: 1, body: BODY }, options);
        expect((await cache.get(id))?.loadMilliseconds).toBe(kept);
      }
    });

    it('keeps entries that were made together fresh for 48 to 60 s, each for a time of its own', async () => {
      const ids = Array.from({ length: MANY }, (_, index) => index + 1);
      const [seconds, microseconds] = await redis.time();
      const now = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
      // The first run brings Redis the script.
      await setIfNewer(MANY + 1, 1, 'load');
      const runs = await scriptRuns();
      await Promise.all(ids.map((id) => setIfNewer(id, 1, 'load')));
      expect(await scriptRuns()).toBe(runs + RUNS);
      const left = (await Promise.all(ids.map((id) => cache.get(id)))).map(
        (found) => (found?.freshUntil ?? 0) - now,
      );
      expect(Math.min(...left)).toBeGreaterThanOrEqual(48_000 - 1);
      expect(Math.min(...left)).toBeLessThan(52_000);
      expect(Math.max(...left)).toBeGreaterThan(56_000);
      expect(Math.max(...left)).toBeLessThan(70_000);
    });
  },
  { timeout: TIMEOUT_MILLISECONDS },
);
