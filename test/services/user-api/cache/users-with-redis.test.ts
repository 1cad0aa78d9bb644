import { Redis } from 'ioredis';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { User } from '../../../../services/contracts/users.ts';
import type { Health } from '../../../../services/user-api/health/health.ts';
import {
  createMigratedDatabase,
  type TestDatabase,
  waitForReplica,
} from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { system } from '../../../support/system.ts';
import { createUser, startTestApi, type TestApi } from '../support/api.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

describeWithRedis('users with Redis', (server) => {
  let database: TestDatabase;
  let way: TcpProxy;
  let redis: Redis;

  beforeEach(async () => {
    database = await createMigratedDatabase();
    way = await startTcpProxy(server().url);
    redis = new Redis(server().url);
    await redis.flushall();
  });
  afterEach(async () => {
    redis.disconnect();
    await way.close();
    await database.drop();
  });

  async function startApi(
    redisUrl = way.through(server().url),
    environment: Readonly<Record<string, string>> = {},
  ): Promise<TestApi> {
    const api = await startTestApi({
      database,
      readerUrls: [database.readerUrl],
      redisUrl,
      environment,
    });
    onTestFinished(() => api.stop());
    await eventually(async () =>
      expect((await api.call<Health>('GET', '/health')).body.parts.redis).toBe('up'),
    );
    return api;
  }

  /** Changes a user behind the back of every API, so that what a cache has differs from what the database has. */
  async function changeBehind(id: number, name: string): Promise<void> {
    const client = postgres(database.writerUrl, { max: 1 });
    await client`update users set name = ${name} where id = ${id}`;
    await client.end();
  }

  const get = (api: TestApi, id: number) =>
    api.call<User>('GET', `/api/v1/users/${id}`, { as: 'admin' });
  const patch = (api: TestApi, id: number, name: string) =>
    api.call<User>('PATCH', `/api/v1/users/${id}`, { as: 'admin', body: { name } });

  it('reads answer from Redis, with the bytes and headers of the database', async () => {
    const [writing, reading] = [await startApi(), await startApi()];
    const { id } = await createUser(writing);
    await waitForReplica(system().postgres);
    await redis.flushall();
    const filled = await get(reading, id);
    await changeBehind(id, 'Behind');
    const cached = await get(reading, id);
    expect(cached.text).toBe(filled.text);
    const headers = ({ headers }: typeof cached) =>
      [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
    expect(headers(cached)).toEqual(headers(filled));
  });

  it('a write is read by every other process, once it is notified: created, changed and deleted', async () => {
    const [first, second] = [await startApi(), await startApi()];
    // What a near cache holds already is let go when the message comes, not when the write is acknowledged.
    const soon = (assertion: () => Promise<void>) => vi.waitFor(assertion, { timeout: 1_000 });
    for (let round = 0; round < 10; round += 1) {
      const created = await createUser(first);
      expect((await get(second, created.id)).body).toEqual(created);
      const changed = await patch(second, created.id, `Round ${round}`);
      await soon(async () => {
        expect((await get(first, created.id)).body).toEqual(changed.body);
      });
      expect(
        (await first.call('DELETE', `/api/v1/users/${created.id}`, { as: 'admin' })).status,
      ).toBe(204);
      await soon(async () => {
        expect((await get(second, created.id)).status).toBe(404);
      });
    }
  });

  it.each(['refusing', 'silent'] as const)(
    'with Redis %s, everything works, and each process reads its own writes',
    async (fault) => {
      const api = await startApi();
      const { id } = await createUser(api);
      if (fault === 'refusing') await way.refuse();
      else way.silence();

      for (let round = 0; round < 8; round += 1) {
        const changed = await patch(api, id, `Round ${round}`);
        expect(changed.status).toBe(200);
        expect((await get(api, id)).body).toEqual(changed.body);
      }
      const created = await createUser(api);
      expect((await get(api, created.id)).body).toEqual(created);
      expect((await api.call('DELETE', `/api/v1/users/${id}`, { as: 'admin' })).status).toBe(204);
      expect((await get(api, id)).status).toBe(404);
      await eventually(async () => {
        const health = await api.call<Health>('GET', '/health');
        expect(health.status).toBe(200);
        expect(health.body).toMatchObject({ status: 'degraded', parts: { redis: 'down' } });
      });
      expect((await api.call('GET', '/health/ready')).status).toBe(200);
    },
  );

  it('a write that Redis missed replaces what is there once it is back: others stop reading the old one', async () => {
    const [cutOff, other] = [await startApi(), await startApi(server().url)];
    const { id } = await createUser(cutOff);
    expect((await get(other, id)).body.version).toBe(1);
    way.silence();
    const changed = await patch(cutOff, id, 'Changed without Redis');
    expect((await get(other, id)).body.version).toBe(1);

    await way.restore();
    await eventually(async () => expect((await get(other, id)).body).toEqual(changed.body));
  });

  it('an entry in Redis that is older than an own write is not answered', async () => {
    const api = await startApi(server().url, { NEAR_CACHE_BYTES: '0' });
    const created = await createUser(api);
    const old = await redis.getBuffer(`user:${created.id}`);
    const changed = await patch(api, created.id, 'Newer');
    await redis.set(`user:${created.id}`, old ?? '');
    expect((await get(api, created.id)).body).toEqual(changed.body);
    await eventually(async () => {
      expect(await redis.get(`user:${created.id}`)).toMatch(/^v2 /);
    });
  });

  it('with Redis restarted empty, goes on and fills it again', async () => {
    const api = await startApi(server().url);
    const { id } = await createUser(api);
    await server().stop();
    expect((await get(api, id)).status).toBe(200);
    await server().start();
    await eventually(async () => {
      expect((await get(api, id)).status).toBe(200);
      expect(await redis.exists(`user:${id}`)).toBe(1);
    });
  });
});
