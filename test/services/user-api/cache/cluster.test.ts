import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { CLUSTER_ACCESS } from '../../../../lib/constructs/cache/cache-cluster.ts';
import type { User } from '../../../../services/contracts/users.ts';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { SessionStore } from '../../../../services/user-api/auth/sessions/session-store.ts';
import { RedisVersionedCache } from '../../../../services/user-api/cache/redis-versioned-cache.ts';
import type { Health } from '../../../../services/user-api/health/health.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import {
  createRedisCluster,
  createSubscriber,
  type RedisSettings,
} from '../../../../services/user-api/redis/redis.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { type RedisClusterNode, startRedisCluster } from '../../../support/redis-cluster.ts';
import { createUser, startTestApi, type TestApi } from '../support/api.ts';

const NODES = 3;
const USERS = 12;
/** Long enough on a busy machine, and far shorter than an entry lives in memory. */
const MESSAGE_TIMEOUT_MILLISECONDS = 2_000;
const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });
const CHANNEL = 'test:writes';

describeWithRedis('the caches on a Redis Cluster', () => {
  let guardian: Guardian;
  let nodes: RedisClusterNode[];
  let database: TestDatabase;

  beforeAll(async () => {
    guardian = startGuardian();
    nodes = await startRedisCluster(guardian, NODES);
    database = await createMigratedDatabase();
  });
  afterAll(async () => {
    await database.drop();
    await guardian.close();
  });

  const nodeAt = (place: number): RedisClusterNode => {
    const node = nodes[place];
    if (node === undefined) throw new Error(`There is no node ${place}`);
    return node;
  };

  function settingsAt(place: number, login: Partial<RedisSettings> = {}): RedisSettings {
    return {
      url: nodeAt(place).url,
      username: undefined,
      password: undefined,
      commandTimeoutMilliseconds: 5_000,
      ...login,
    };
  }

  async function connect(settings: RedisSettings) {
    const cluster = createRedisCluster(settings, logger);
    onTestFinished(() => cluster.disconnect());
    await new Promise((resolve) => cluster.once('ready', resolve));
    return cluster;
  }

  /** An API that knows the cluster, and listens, by the node at `place`. */
  async function startApi(place: number): Promise<TestApi> {
    const api = await startTestApi({
      database,
      readerUrls: [database.readerUrl],
      redisUrl: nodeAt(place).url,
      environment: { REDIS_MODE: 'cluster' },
    });
    onTestFinished(() => api.stop());
    await eventually(async () =>
      expect((await api.call<Health>('GET', '/health')).body.parts.redis).toBe('up'),
    );
    return api;
  }

  async function createUsers(api: TestApi): Promise<number[]> {
    const created = Array.from({ length: USERS }, () => createUser(api));
    return (await Promise.all(created)).map(({ id }) => id);
  }

  const get = (api: TestApi, id: number) =>
    api.call<User>('GET', `/api/v1/users/${id}`, { as: 'admin' });
  const rename = (api: TestApi, id: number, name: string) =>
    api.call<User>('PATCH', `/api/v1/users/${id}`, { as: 'admin', body: { name } });
  const soon = (assertion: () => Promise<void>) =>
    vi.waitFor(assertion, { timeout: MESSAGE_TIMEOUT_MILLISECONDS, interval: 10 });

  /** The place of the node that has the key. */
  async function placeOf(key: string): Promise<number> {
    const values = await Promise.all(
      nodes.map(({ command }) => command('exists', key).catch(() => 0)),
    );
    return values.indexOf(1);
  }

  it('users are on all nodes, and a process that listens to another node is notified of a write', async () => {
    const [writing, reading] = [await startApi(0), await startApi(1)];
    const ids = await createUsers(writing);
    const page = () =>
      reading.call<{ readonly data: User[] }>('GET', '/api/v1/users?limit=100', { as: 'admin' });
    for (const id of ids) expect((await get(reading, id)).body.version).toBe(1);
    await page();
    for (const id of ids) {
      const changed = await rename(writing, id, `Renamed ${id}`);
      await soon(async () => expect((await get(reading, id)).body).toEqual(changed.body));
    }
    const places = await Promise.all(ids.map((id) => placeOf(`user:${id}`)));
    expect(new Set(places)).toEqual(new Set(nodes.keys()));
    const names = ids.map((id) => `Renamed ${id}`);
    await soon(async () => {
      const listed = (await page()).body.data.map(({ name }) => name);
      expect(listed).toEqual(expect.arrayContaining(names));
    });
  });

  it('an entry whose slot moves to another node is followed there: asked for once, then moved', async () => {
    const cluster = await connect(settingsAt(0));
    const cache = new RedisVersionedCache(cluster, {
      keyPrefix: 'moving:',
      representation: '1',
      channel: CHANNEL,
    });
    const body = Buffer.from('body');
    expect(await cache.setIfNewer(1, { version: 1, body }, { origin: 'write' })).toBeNull();
    const from = nodeAt(await placeOf('moving:1'));
    const to = nodeAt((nodes.indexOf(from) + 1) % NODES);
    const slot = Number(await from.command('cluster', 'keyslot', 'moving:1'));
    const [fromId, toId] = [
      String(await from.command('cluster', 'myid')),
      String(await to.command('cluster', 'myid')),
    ];
    const redirections = async (kind: 'ASK' | 'MOVED') => {
      const statistics = String(await from.command('info', 'errorstats'));
      return Number(new RegExp(`errorstat_${kind}:count=(\\d+)`).exec(statistics)?.[1] ?? 0);
    };

    await to.command('cluster', 'setslot', slot, 'importing', fromId);
    await from.command('cluster', 'setslot', slot, 'migrating', toId);
    await from.command('migrate', '127.0.0.1', to.port, 'moving:1', 0, 5_000);
    expect(await cache.get(1)).toMatchObject({ version: 1, fresh: true });
    expect(await redirections('ASK')).toBe(1);

    for (const node of [to, from]) await node.command('cluster', 'setslot', slot, 'node', toId);
    const before = await redirections('MOVED');
    expect(await cache.setIfNewer(1, { version: 2, body }, { origin: 'write' })).toBeNull();
    expect(await redirections('MOVED')).toBe(before + 1);
    expect(await cache.get(1)).toMatchObject({ version: 2 });
    expect(await redirections('MOVED')).toBe(before + 1);
  });

  it('with a node away, its users are read from the database; back and empty, the writes are published to it again', async () => {
    const [writing, reading] = [await startApi(0), await startApi(1)];
    const ids = await createUsers(writing);
    const renamed = await Promise.all(ids.map((id) => rename(writing, id, 'Renamed')));
    const places = await Promise.all(ids.map((id) => placeOf(`user:${id}`)));
    const lost = ids.filter((_, index) => places[index] === NODES - 1);
    expect(lost.length).toBeGreaterThan(0);

    await nodeAt(NODES - 1).kill();
    for (const [index, id] of ids.entries()) {
      // Invalidation messages may have been on their way.
      await soon(async () => expect((await get(reading, id)).body).toEqual(renamed[index]?.body));
    }
    expect((await rename(writing, lost[0] ?? 0, 'Renamed without its node')).status).toBe(200);
    expect((await get(writing, lost[0] ?? 0)).body.name).toBe('Renamed without its node');

    await nodeAt(NODES - 1).start();
    await vi.waitFor(
      async () => {
        for (const [index, id] of lost.entries()) {
          const entry = String(await nodeAt(NODES - 1).command('get', `user:${id}`));
          expect(entry).toMatch(index === 0 ? /^v3 / : /^v2 /);
        }
      },
      { timeout: 15_000, interval: 50 },
    );
    await soon(async () => {
      expect((await get(reading, lost[0] ?? 0)).body.name).toBe('Renamed without its node');
    });
  });

  it('sessions without a Redis of their own are kept there', async () => {
    const store = new SessionStore(await connect(settingsAt(0)));
    for (let userId = 1; userId <= USERS; userId += 1) {
      await store.open(userId, 0);
      expect(await store.list(userId)).toHaveLength(1);
    }
    const sizes = await Promise.all(nodes.map(({ command }) => command('dbsize')));
    expect(Math.min(...sizes.map(Number))).toBeGreaterThan(0);
  });

  it('the user that a deployment makes may do all that the caches do, and not flush', async () => {
    const login = { username: 'headroom_api', password: 'a-password-of-a-test' };
    for (const { command } of nodes) {
      const rules = CLUSTER_ACCESS.split(' ');
      await command('acl', 'setuser', login.username, `>${login.password}`, ...rules);
    }
    const cluster = await connect(settingsAt(0, login));
    const subscriber = createSubscriber(settingsAt(1, login));
    onTestFinished(() => subscriber.disconnect());
    await new Promise((resolve) => subscriber.once('ready', resolve));
    await subscriber.subscribe(CHANNEL);
    const knownVersions: string[] = [];
    subscriber.on('message', (_, message: string) => knownVersions.push(message));

    const cache = new RedisVersionedCache(cluster, {
      keyPrefix: 'allowed:',
      representation: '1',
      channel: CHANNEL,
    });
    for (let id = 1; id <= USERS; id += 1) {
      expect(
        await cache.setIfNewer(id, { version: 1, body: null }, { origin: 'write' }),
      ).toBeNull();
      expect(await cache.get(id)).toMatchObject({ version: 1 });
      expect(await cache.lease(id)).toBe(true);
    }
    await soon(async () => expect(knownVersions).toHaveLength(USERS));
    await expect(cluster.flushall()).rejects.toThrow('NOPERM');
  });
});
