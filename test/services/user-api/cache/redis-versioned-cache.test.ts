import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { RedisVersionedCache } from '../../../../services/user-api/cache/redis-versioned-cache.ts';
import type { VersionedEntry } from '../../../../services/user-api/cache/versioned-cache.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { createRedis } from '../../../../services/user-api/redis/redis.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';

const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });
const CHANNEL = 'test:writes';
/** A command that is never settled fails a test soon. */
const TIMEOUT_MILLISECONDS = 5_000;

describeWithRedis(
  'RedisVersionedCache',
  (server) => {
    let redis: Redis;
    let cache: RedisVersionedCache;
    let id = 0;

    const cacheOf = (representation: string, on = redis) =>
      new RedisVersionedCache(on, { keyPrefix: 'test:', representation, channel: CHANNEL });
    const connect = async (commandTimeoutMilliseconds: number) => {
      const { url } = server();
      const client = createRedis(
        { url, username: undefined, password: undefined, commandTimeoutMilliseconds },
        logger,
      );
      await new Promise((resolve) => client.once('ready', resolve));
      return client;
    };

    beforeAll(async () => {
      redis = await connect(1_000);
      cache = cacheOf('1');
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
    const write = (of: number, version: number, body: string | null) =>
      cache.setIfNewer(of, entry(version, body), { origin: 'write' });
    const load = (of: number, version: number, body: string | null) =>
      cache.setIfNewer(of, entry(version, body), { origin: 'load' });

    it('gives back the bytes of what went in, whatever they are', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 2 ** 31 }),
          fc.option(fc.uint8Array({ maxLength: 300 })),
          async (version, body) => {
            id += 1;
            expect(await cache.setIfNewer(id, { version, body }, { origin: 'write' })).toBeNull();
            const found = await cache.get(id);
            expect(found).toMatchObject({ version, fresh: true });
            expect(found?.body && Buffer.from(found.body)).toEqual(body && Buffer.from(body));
          },
        ),
        { numRuns: 50 },
      );
    });

    it('of what it does not have, gives null', async () => {
      expect(await cache.get(999_999_999)).toBeNull();
    });

    const callsOf = async (command: string) => {
      const statistics = await redis.info('commandstats');
      return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(statistics)?.[1] ?? 0);
    };

    it('asks for what is read in one tick in one command, and gives each its own', async () => {
      await write(2_000_001, 1, 'one');
      await write(2_000_002, 2, 'two');
      const [gets, mgets] = [await callsOf('get'), await callsOf('mget')];
      const found = await Promise.all([2_000_001, 2_000_003, 2_000_002].map((of) => cache.get(of)));

      expect(found.map(plain)).toEqual([
        { version: 1, body: 'one' },
        null,
        { version: 2, body: 'two' },
      ]);
      expect(await callsOf('mget')).toBe(mgets + 1);
      expect(await callsOf('get')).toBe(gets);
    });

    it('has sent what is read in a tick when that turn has ended, with the commands of that tick', async () => {
      const { stream } = redis;
      const sent: string[] = [];
      const send = stream._write.bind(stream);
      const sendAll = stream._writev?.bind(stream);
      const { _write, _writev } = stream;
      onTestFinished(() => void Object.assign(stream, { _write, _writev }));
      stream._write = (chunk, encoding, callback) => {
        sent.push(String(chunk));
        send(chunk, encoding, callback);
      };
      stream._writev = (chunks, callback) => {
        sent.push(chunks.map(({ chunk }) => String(chunk)).join(''));
        sendAll?.(chunks, callback);
      };
      const reads = [cache.get(2_000_011), redis.ping(), cache.get(2_000_012)];
      await new Promise((resolve) => setImmediate(resolve));
      expect(sent).toEqual([expect.stringMatching(/ping.*mget.*2000011.*2000012/s)]);
      await Promise.all(reads);
    });

    it('asks for more than fit into one command in several, and gives each its own', async () => {
      await write(2_000_120, 3, 'last');
      const ids = Array.from({ length: 250 }, (_, index) => 2_000_000 + 120 - index);
      const mgets = await callsOf('mget');
      const found = await Promise.all(ids.map((of) => cache.get(of)));
      expect(await callsOf('mget')).toBe(mgets + 3);
      expect(found).toHaveLength(ids.length);
      expect(plain(found[0])).toEqual({ version: 3, body: 'last' });
      expect(found.slice(1, 100)).toEqual(Array.from({ length: 99 }, () => null));
      expect(plain(found[119])).toEqual({ version: 1, body: 'one' });
    });

    it('does not let an older version replace a newer one, and gives the newer', async () => {
      await write(1_000_001, 10, 'ten');
      expect(plain(await load(1_000_001, 9, 'nine'))).toEqual({ version: 10, body: 'ten' });
      expect(plain(await write(1_000_001, 9, 'nine'))).toEqual({ version: 10, body: 'ten' });
      expect(plain(await cache.get(1_000_001))).toEqual({ version: 10, body: 'ten' });
      expect(await write(1_000_001, 11, 'eleven')).toBeNull();
      expect(plain(await cache.get(1_000_001))).toEqual({ version: 11, body: 'eleven' });
    });

    it('does not let a slow reader bring back what has been deleted', async () => {
      await write(1_000_002, 3, null);
      expect(plain(await load(1_000_002, 2, 'back'))).toEqual({ version: 3, body: null });
      expect(plain(await cache.get(1_000_002))).toEqual({ version: 3, body: null });
    });

    it('sets the entries of one tick with one command, and replies to each by itself', async () => {
      await write(2_000_011, 5, 'five');
      await redis.del('test:2000012');
      await redis.rpush('test:2000012', 'a list, which no entry is');
      const calls = await callsOf('evalsha');
      const responses = await Promise.all([
        load(2_000_010, 1, 'one'),
        load(2_000_011, 4, 'four'),
        load(2_000_012, 1, 'nowhere'),
        write(2_000_013, 2, 'two'),
        load(2_000_013, 1, 'before two'),
      ]);
      expect(await callsOf('evalsha')).toBe(calls + 1);
      expect(responses.map(plain)).toEqual([
        null,
        { version: 5, body: 'five' },
        undefined,
        null,
        { version: 2, body: 'two' },
      ]);
      const found = [2_000_010, 2_000_011, 2_000_013].map((of) => cache.get(of));
      expect((await Promise.all(found)).map(plain)).toEqual([
        { version: 1, body: 'one' },
        { version: 5, body: 'five' },
        { version: 2, body: 'two' },
      ]);
      await redis.del('test:2000012');
    });

    it('set by many at once, ends with the newest', async () => {
      const versions = Array.from({ length: 50 }, (_, index) => index + 1).sort(
        () => Math.random() - 0.5,
      );
      await Promise.all(versions.map((version) => write(1_000_003, version, `${version}`)));
      expect(plain(await cache.get(1_000_003))).toEqual({ version: 50, body: '50' });
    });

    it('keeps what was loaded for a minute, and the version of what was written ten times as long', async () => {
      await load(1_000_004, 1, 'one');
      expect(await redis.pttl('test:1000004')).toBeGreaterThan(40_000);
      expect(await redis.pttl('test:1000004')).toBeLessThanOrEqual(60_000);
      for (const body of ['two', null]) {
        await write(1_000_004, 2, body);
        expect(await redis.pttl('test:1000004')).toBeGreaterThan(590_000);
      }
    });

    it('with a load of the same version, keeps the time that the write is kept, and is fresh again', async () => {
      await write(1_000_005, 2, 'two');
      await redis.pexpire('test:1000005', 300_000);
      const before = await cache.get(1_000_005);
      await wait(2);
      await load(1_000_005, 2, 'two');
      expect(await redis.pttl('test:1000005')).toBeGreaterThan(290_000);
      const after = await cache.get(1_000_005);
      expect(after?.fresh).toBe(true);
      expect(after?.freshUntil).not.toBe(before?.freshUntil);
    });

    it('is fresh for a minute by the clock of Redis, whatever the clock of the process says', async () => {
      await write(1_000_006, 1, 'one');
      const [seconds] = await redis.time();
      const left = ((await cache.get(1_000_006))?.freshUntil ?? 0) - Number(seconds) * 1_000;
      expect(left).toBeGreaterThan(45_000);
      expect(left).toBeLessThanOrEqual(62_000);
    });

    it('past its time, an entry is a minimum version: its version holds, and it is not fresh', async () => {
      await redis.set('test:1000007', 'v5 1 1000000000000 1\nfive');
      expect(await cache.get(1_000_007)).toMatchObject({ version: 5, fresh: false });
      expect(plain(await load(1_000_007, 4, 'four'))).toEqual({ version: 5, body: 'five' });
      expect(await load(1_000_007, 5, 'five')).toBeNull();
      expect(await cache.get(1_000_007)).toMatchObject({ version: 5, fresh: true });
    });

    it('made by a release with other bytes, an entry is a minimum version too; a deletion is the same to all', async () => {
      const other = cacheOf('2');
      await write(1_000_008, 7, 'seven');
      expect(await other.get(1_000_008)).toMatchObject({ version: 7, fresh: false });
      await write(1_000_008, 8, null);
      expect(await other.get(1_000_008)).toMatchObject({ version: 8, fresh: true, body: null });
    });

    it('what is not there is fresh for seconds, and a creation replaces it at once', async () => {
      expect(await load(1_000_009, 0, null)).toBeNull();
      expect(await cache.get(1_000_009)).toMatchObject({ version: 0, body: null, fresh: true });
      const left = await redis.pttl('test:1000009');
      expect(left).toBeGreaterThan(3_000);
      expect(left).toBeLessThanOrEqual(5_000);
      expect(await write(1_000_009, 1, 'born')).toBeNull();
      expect(plain(await load(1_000_009, 0, null))).toEqual({ version: 1, body: 'born' });
    });

    it('publishes writes in the same step, and no loads', async () => {
      const listener = redis.duplicate();
      onTestFinished(() => listener.disconnect());
      await new Promise((resolve) => listener.once('ready', resolve));
      await listener.subscribe(CHANNEL);
      const knownVersions: string[] = [];
      listener.on('message', (_, message: string) => knownVersions.push(message));
      await load(1_000_010, 1, 'one');
      await write(1_000_010, 2, 'two');
      await write(1_000_010, 1, 'one');
      await write(1_000_010, 3, null);
      await listener.ping();
      expect(knownVersions).toEqual(['1000010 2', '1000010 3']);
    });

    it('leases a load to one at a time, and not for long', async () => {
      expect(await cache.lease(1_000_011)).toBe(true);
      expect(await cache.lease(1_000_011)).toBe(false);
      const left = await redis.pttl('test:1000011:lease');
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(500);
    });

    it('after five timeouts is asked for no entry and no lease, and given none, until a probe succeeds', async () => {
      const hasty = await connect(50);
      onTestFinished(() => hasty.disconnect());
      const tested = cacheOf('1', hasty);
      await redis.client('PAUSE', 300, 'ALL');
      await Promise.all([1, 2, 3, 4, 5].map((number) => tested.lease(3_000_000 + number)));

      const responses = [
        tested.lease(3_000_009),
        tested.get(3_000_009),
        tested.setIfNewer(3_000_009, entry(1, 'one'), { origin: 'load' }),
      ];

      expect(await Promise.all(responses)).toEqual([true, undefined, undefined]);
      // What was sent during the pause runs at its end.
      await redis.ping();
      expect(await redis.keys('test:3000009*')).toEqual([]);
      await eventually(async () => expect(await tested.get(3_000_009)).toBeNull());
    });

    it('with something else under its key, takes it for nothing and replaces it', async () => {
      for (const other of ['', 'nonsense', 'v\n', 'vx 1 1 1\nbody', 'x1 1 1 1\nbody', 'v1\nbody']) {
        await redis.set('test:1000012', other);
        expect(await cache.get(1_000_012)).toBeNull();
        expect(await load(1_000_012, 1, 'one')).toBeNull();
        expect(plain(await cache.get(1_000_012))).toEqual({ version: 1, body: 'one' });
      }
    });
  },
  { timeout: TIMEOUT_MILLISECONDS },
);
