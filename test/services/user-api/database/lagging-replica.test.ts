import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { User } from '../../../../services/contracts/users.ts';
import { type Postgres, startPostgres } from '../../../../services/local/postgres/postgres.ts';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { migrate } from '../../../../services/user-api/database/migrate.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import {
  createUser,
  newUser,
  type ProblemDetails,
  startTestApi,
  type TestApi,
} from '../support/api.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** Far longer than any test here takes: nothing that these tests write reaches the replica before they end. */
const LAG = '1h';

let guardian: Guardian;
/** Servers of this file's own: a replica that lags, and is promoted in the end, is nothing to share. */
let servers: Postgres;
let writer: TcpProxy;
/** A user that the replica has, in its first version for ever. */
let settledId: number;

async function onReplica<Result>(action: (sql: postgres.Sql) => Promise<Result>): Promise<Result> {
  const sql = postgres(servers.replica.administratorUrl, { max: 1 });
  try {
    return await action(sql);
  } finally {
    await sql.end();
  }
}

beforeAll(async () => {
  guardian = startGuardian();
  servers = await startPostgres({
    directory: join(guardian.createTemporaryDirectory('headroom-lag-'), 'postgres'),
    database: 'headroom',
    durable: false,
    guardian,
    primaryPort: 0,
    replicaPort: 0,
  });
  await migrate(servers.primary.url);
  const primary = postgres(servers.primary.url, { max: 1 });
  const [settled] = await primary<{ id: number }[]>`
    insert into users (name, email) values ('Settled', 'settled@example.com') returning id::int`;
  await primary.end();
  settledId = settled?.id ?? 0;
  await onReplica(async (sql) => {
    await eventually(async () => expect(await sql`select from users`).toHaveLength(1));
    await sql.unsafe(`alter system set recovery_min_apply_delay = '${LAG}'`);
    await sql`select pg_reload_conf()`;
  });
  writer = await startTcpProxy(servers.primary.url);
});
afterAll(async () => {
  await writer.close();
  await servers.stop();
  await guardian.close();
});

async function startApi(redisUrl?: string): Promise<TestApi> {
  const api = await startTestApi({
    database: { writerUrl: writer.through(servers.primary.url) },
    readerUrls: [servers.replica.url],
    environment: { DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: '1000' },
    ...(redisUrl === undefined ? {} : { redisUrl }),
  });
  onTestFinished(() => api.stop());
  return api;
}

const get = (api: TestApi, id: number) =>
  api.call<User>('GET', `/api/v1/users/${id}`, { as: 'admin' });
const patch = (api: TestApi, id: number, name: string) =>
  api.call<User>('PATCH', `/api/v1/users/${id}`, { as: 'admin', body: { name } });

/** Checks that the replica lags as far as the tests need. */
async function expectLag(): Promise<void> {
  const found = await onReplica((sql) => sql`select name, version from users`);
  expect([...found]).toEqual([{ name: 'Settled', version: 1 }]);
}

describe('with a replica that is far behind, without Redis', () => {
  it('a process reads what it has created, changed and deleted', async () => {
    const api = await startApi();
    const created = await createUser(api);
    expect((await get(api, created.id)).body).toEqual(created);
    for (const name of ['First', 'Second']) {
      const changed = await patch(api, created.id, name);
      expect((await get(api, created.id)).body).toEqual(changed.body);
    }
    await api.call('DELETE', `/api/v1/users/${created.id}`, { as: 'admin' });
    expect((await get(api, created.id)).status).toBe(404);
    await expectLag();
  });

  it('a process reads its change of a user that the replica has, but in an older version', async () => {
    const api = await startApi();
    for (const name of ['Third', 'Fourth']) {
      const changed = await patch(api, settledId, name);
      expect((await get(api, settledId)).body).toEqual(changed.body);
    }
    await expectLag();
  });

  it('and with the writer down, a process still reads its own last change', async () => {
    const api = await startApi();
    const changed = await patch(api, settledId, 'Fifth');
    await writer.refuse();
    onTestFinished(() => writer.restore());
    expect((await get(api, settledId)).body).toEqual(changed.body);
  });

  it('a user that another process has just created is found', async () => {
    const [creating, reading] = [await startApi(), await startApi()];
    const created = await createUser(creating);
    expect((await get(reading, created.id)).body).toEqual(created);
  });

  it('the writer gets few reads of unknown ids at a time', async () => {
    const api = await startApi();
    writer.silence();
    onTestFinished(() => writer.restore());
    let responded = 0;
    const all = Array.from({ length: 10 }, async (_, index) => {
      const { status } = await get(api, 900_000 + index);
      responded += 1;
      return status;
    });
    // Reads on the writer wait for its deadline; the others use the response of the replica.
    await eventually(() => expect(responded).toBeGreaterThan(0));
    await vi.waitFor(() => expect(responded).toBe(6), { timeout: 500 });
    expect(await Promise.all(all)).toEqual(Array(10).fill(404));
  });
});

describeWithRedis('with a replica that is far behind, with Redis', (redis) => {
  it('every process reads what any has written', async () => {
    const [first, second] = [await startApi(redis().url), await startApi(redis().url)];
    await Promise.all(
      [first, second].map((api) =>
        eventually(async () =>
          expect((await api.call('GET', '/health')).text).toContain('"redis":"up"'),
        ),
      ),
    );
    for (let round = 0; round < 5; round += 1) {
      const created = await createUser(first);
      expect((await get(second, created.id)).body).toEqual(created);
      const changed = await patch(second, created.id, `Round ${round}`);
      expect((await get(first, created.id)).body).toEqual(changed.body);
      await first.call('DELETE', `/api/v1/users/${created.id}`, { as: 'admin' });
      expect((await get(second, created.id)).status).toBe(404);
    }
    await expectLag();
  });
});

/** Last in this file: it ends the primary. */
describe('in a failover', () => {
  it('writes get 503 until the new writer is available, then succeed without a restart', async () => {
    const api = await startApi();
    await createUser(api);
    process.kill(servers.primary.processId, 'SIGKILL');
    writer.retarget(servers.replica.url);

    // The name resolves to a server that is still a replica: the worst moment of a failover.
    const responses = [];
    for (let round = 0; round < 3; round += 1) {
      responses.push(await api.call<ProblemDetails>('POST', '/api/v1/users', { body: newUser() }));
    }
    expect(responses.map(({ status, body }) => [status, body.type])).toEqual(
      Array(3).fill([503, '/problems/database-unavailable']),
    );
    expect((await api.call('GET', '/api/v1/users')).status).toBe(200);

    await onReplica((sql) => sql`select pg_promote()`);
    await eventually(async () => {
      const { status } = await api.call('POST', '/api/v1/users', { body: newUser() });
      expect(status).toBe(201);
    });
  });
});
