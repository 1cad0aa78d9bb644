import postgres from 'postgres';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  onTestFinished,
} from 'vitest';
import type { User } from '../../../../services/contracts/users.ts';
import type { Health } from '../../../../services/user-api/health/health.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { system } from '../../../support/system.ts';
import {
  createUser,
  newUser,
  type ProblemDetails,
  startTestApi,
  type TestApi,
  type TestApiOptions,
} from '../support/api.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** Short, so that a silent server times out soon: the service waits half a second more. */
const environment = { DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: '300' };

let database: TestDatabase;
let writer: TcpProxy;
let reader: TcpProxy;

beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(async () => {
  await database.drop();
});
beforeEach(async () => {
  writer = await startTcpProxy(database.writerUrl);
  reader = await startTcpProxy(database.readerUrl);
});
afterEach(async () => {
  await Promise.all([writer.close(), reader.close()]);
});

async function startApi(options: Partial<TestApiOptions> = {}): Promise<TestApi> {
  const api = await startTestApi({
    database: { writerUrl: writer.through(database.writerUrl) },
    readerUrls: [reader.through(database.readerUrl)],
    environment,
    options: { router: { firstSkipMilliseconds: 20, longestSkipMilliseconds: 100 } },
    ...options,
  });
  onTestFinished(() => api.stop());
  return api;
}

async function replicated(id: number): Promise<void> {
  const client = postgres(database.readerUrl, { max: 1 });
  await eventually(async () =>
    expect(await client`select from users where id = ${id}`).toHaveLength(1),
  );
  await client.end();
}

/** A user that the replica has, so that the service does not read it on the writer. */
async function settledUser(): Promise<User> {
  const client = postgres(database.writerUrl, { max: 1 });
  const { email } = newUser();
  const [row] = await client<{ id: number }[]>`
    insert into users (name, email) values ('Settled', ${email}) returning id::int`;
  await client.end();
  if (row === undefined) throw new Error('No row');
  await replicated(row.id);
  return { id: row.id } as User;
}

const get = (api: TestApi, id: number) =>
  api.call<User>('GET', `/api/v1/users/${id}`, { as: 'admin' });
const post = (api: TestApi) =>
  api.call<ProblemDetails>('POST', '/api/v1/users', { body: newUser() });

/** Waits until `probe` gives `status`. */
async function becomes(status: number, probe: () => Promise<{ status: number }>): Promise<void> {
  await eventually(async () => expect((await probe()).status).toBe(status));
}

function expectUnavailable(response: { status: number; headers: Headers; body: ProblemDetails }) {
  expect(response.status).toBe(503);
  expect(response.body.type).toBe('/problems/database-unavailable');
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
}

describe('with a reader that is', () => {
  it.each(['refusing', 'silent'] as const)(
    '%s, every read succeeds, and it is used again once it is back',
    async (fault) => {
      const api = await startApi();
      const { id } = await settledUser();
      expect((await get(api, id)).status).toBe(200);
      expect(reader.connections()).toBeGreaterThan(0);

      if (fault === 'refusing') await reader.refuse();
      else reader.silence();
      const responses = await Promise.all(Array.from({ length: 4 }, () => get(api, id)));
      expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      expect((await api.call('GET', '/api/v1/users')).status).toBe(200);
      expect(api.log.filter(({ message }) => message === 'Reader skipped')).not.toEqual([]);

      await reader.restore();
      await eventually(async () => {
        expect((await get(api, id)).status).toBe(200);
        expect(api.log.map(({ message }) => message)).toContain('Reader available again');
      });
    },
  );

  it('failing repeatedly, is skipped for longer each time', async () => {
    const api = await startApi();
    const { id } = await settledUser();
    await reader.refuse();
    const skips = () =>
      api.log
        .filter(({ message }) => message === 'Reader skipped')
        .map((line) => line.skipMilliseconds);
    await eventually(async () => {
      await get(api, id);
      expect(skips().length).toBeGreaterThanOrEqual(4);
    });
    expect(skips().slice(0, 4)).toEqual([20, 40, 80, 100]);
  });
});

describe('with two readers', () => {
  it('reads go to both, and to one when the other is gone, but not to the writer', async () => {
    const other = await startTcpProxy(database.readerUrl);
    onTestFinished(() => other.close());
    const api = await startApi({
      readerUrls: [reader, other].map((proxy) => proxy.through(database.readerUrl)),
    });
    const { id } = await settledUser();
    for (let round = 0; round < 4; round += 1) await get(api, id);
    expect(reader.connections()).toBeGreaterThan(0);
    expect(other.connections()).toBeGreaterThan(0);

    await Promise.all([other.refuse(), writer.refuse()]);
    for (let round = 0; round < 4; round += 1) expect((await get(api, id)).status).toBe(200);
  });
});

describe('with the writer', () => {
  it.each(['refusing', 'silent'] as const)(
    '%s, reads succeed, writes get 503, and succeed again without a restart',
    async (fault) => {
      const api = await startApi();
      const { id } = await settledUser();
      await createUser(api);

      if (fault === 'refusing') await writer.refuse();
      else writer.silence();
      // On the connection that was open, the statement was sent; on a new one, it cannot be.
      const first = await post(api);
      expect(first.status).toBe(503);
      expect(first.body.type).toBe(
        fault === 'silent' ? '/problems/outcome-unknown' : '/problems/database-unavailable',
      );
      expectUnavailable(await api.call('DELETE', `/api/v1/users/${id}`, { as: 'admin' }));
      expect((await get(api, id)).status).toBe(200);
      expect((await api.call('GET', '/api/v1/users')).status).toBe(200);
      expect((await api.call('GET', '/health/ready')).status).toBe(200);
      await eventually(async () => {
        const health = await api.call<Health>('GET', '/health');
        expect(health.status).toBe(200);
        expect(health.body).toMatchObject({
          status: 'degraded',
          parts: { writer: 'down', 'reader-1': 'up' },
        });
      });

      await writer.restore();
      await becomes(201, () => post(api));
    },
  );

  it('down, a user that was just written is still read as it was written', async () => {
    const api = await startApi();
    const user = await createUser(api);
    await writer.refuse();
    const found = await get(api, user.id);
    expect(found.body).toEqual(user);
  });

  it('ending its connections as in a restart, writes go through again', async () => {
    const api = await startApi();
    await createUser(api);
    const administrator = postgres(system().postgres.primary.administratorUrl, { max: 1 });
    onTestFinished(() => administrator.end());
    await administrator`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = ${database.name} and application_name = 'headroom-user-api'`;
    await becomes(201, () => post(api));
    expect(api.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('blocked by a lock, writes get 503 within their deadline', async () => {
    const api = await startApi();
    const { id } = await createUser(api);
    const blocker = postgres(database.writerUrl, { max: 1 });
    onTestFinished(() => blocker.end());
    await blocker.begin(async (transaction) => {
      await transaction`select from users where id = ${id} for update`;
      const response = await api.call<ProblemDetails>('PATCH', `/api/v1/users/${id}`, {
        as: 'admin',
        body: { name: 'X' },
      });
      expectUnavailable(response);
    });
    await becomes(200, () =>
      api.call('PATCH', `/api/v1/users/${id}`, { as: 'admin', body: { name: 'Y' } }),
    );
  });
});

describe('with no server of the database', () => {
  it('from the start, is not ready until one responds, and stays ready after that', async () => {
    await Promise.all([writer.refuse(), reader.refuse()]);
    const api = await startApi();
    expect((await api.call('GET', '/health/ready')).status).toBe(503);
    expect((await api.call('GET', '/health/live')).status).toBe(200);
    expectUnavailable(await api.call('GET', '/api/v1/users/1'));
    expectUnavailable(await api.call('GET', '/api/v1/users'));
    const health = await api.call<Health>('GET', '/health');
    expect([health.status, health.body.status]).toEqual([503, 'down']);

    await Promise.all([writer.restore(), reader.restore()]);
    await becomes(200, () => api.call('GET', '/health/ready'));
    await becomes(200, () => api.call('GET', '/health'));
    await Promise.all([writer.refuse(), reader.refuse()]);
    await becomes(503, () => api.call('GET', '/health'));
    expect((await api.call('GET', '/health/ready')).status).toBe(200);
  });
});
