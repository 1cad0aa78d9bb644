import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DependencyOptions } from '../../../../services/user-api/app/dependencies.ts';
import { createApiKeyText } from '../../../../services/user-api/auth/api-keys/api-key-text.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import {
  authorization,
  type CallOptions,
  createUser,
  newUser,
  type ProblemDetails,
  type ReceivedResponse,
  startTestApi,
  type TestApi,
} from '../support/api.ts';
import { sendRaw } from '../support/raw-http.ts';
import { startStatementCounter } from '../support/statement-counter.ts';

let database: TestDatabase;
/** Nothing but requests asks the database for anything. */
const QUIET: DependencyOptions = {
  dispatcher: { relayIntervalMilliseconds: 3_600_000 },
  authentication: { revocationPollSeconds: 3_600, apiKeyUseWriteMilliseconds: 3_600_000 },
};

beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(async () => {
  await database.drop();
});

async function start(
  environment: Readonly<Record<string, string>>,
  redisUrl?: string,
  options: DependencyOptions = {},
) {
  const api = await startTestApi({
    database,
    options,
    environment: { TRUSTED_PROXY_HOPS: '1', ...environment },
    ...(redisUrl === undefined ? {} : { redisUrl }),
  });
  onTestFinished(() => api.stop());
  return api;
}

const from = (address: string, headers = {}): CallOptions => ({
  headers: { 'x-forwarded-for': address, ...headers },
});

const statuses = async (times: number, ask: () => Promise<{ readonly status: number }>) => {
  const found: number[] = [];
  for (let time = 0; time < times; time += 1) found.push((await ask()).status);
  return found;
};

describe('a limit', () => {
  it('of reads, is on every response, and when it is reached refuses with the time to wait', async () => {
    const api = await start({ RATE_LIMITS: 'reads=3/60' });
    const { id } = await createUser(api);
    const get = () => api.call<ProblemDetails>('GET', `/api/v1/users/${id}`, from('192.0.2.1'));
    const first = await get();
    expect(first.headers.get('ratelimit-policy')).toBe('"reads";q=3;w=60');
    expect(first.headers.get('ratelimit')).toBe('"reads";r=2;t=20');
    expect(await statuses(2, get)).toEqual([200, 200]);
    const refused = await get();
    expect(refused.status).toBe(429);
    expect(refused.body.type).toBe('/problems/rate-limit-exceeded');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit')).toMatch(/^"reads";r=0;t=/);
    // Others go on, and so does what is not counted.
    expect((await api.call('GET', `/api/v1/users/${id}`, from('192.0.2.2'))).status).toBe(200);
    expect((await api.call('GET', '/health/live', from('192.0.2.1'))).status).toBe(200);
  });

  it('is of the user or the key that asks, wherever from; a name that is made up gets none of its own', async () => {
    const api = await start({ RATE_LIMITS: 'reads=2/60' });
    const { id } = await createUser(api);
    const [mine, other] = [await authorization(id), await authorization(id + 1)];
    const get = (address: string, headers: object) => () =>
      api.call<unknown>('GET', `/api/v1/users/${id}`, from(address, headers));
    expect(await statuses(2, get('192.0.2.1', { authorization: mine }))).toEqual([200, 200]);
    expect(await statuses(1, get('192.0.2.9', { authorization: mine }))).toEqual([429]);
    expect(await statuses(1, get('192.0.2.1', { authorization: other }))).toEqual([200]);
    for (const made of [1, 2, 3, 4]) {
      const headers = { authorization: `Bearer made.up.${made}` };
      const expected = made <= 2 ? 401 : 429;
      expect(await statuses(1, get('192.0.2.5', headers))).toEqual([expected]);
    }
  });

  it('is of the account, however many API keys it has', async () => {
    const api = await start({ RATE_LIMITS: 'reads=4/60' });
    const { id } = await createUser(api);
    const keys: string[] = [];
    for (const name of ['one', 'two', 'three']) {
      const { body } = await api.call<{ key: string }>('POST', `/api/v1/users/${id}/api-keys`, {
        as: id,
        body: { name, scopes: [] },
      });
      keys.push(body.key);
    }
    const responses: number[] = [];
    for (const [at, key] of [...keys, ...keys].entries()) {
      const call = from(`192.0.2.${at}`, { 'x-api-key': key });
      responses.push((await api.call('GET', `/api/v1/users/${id}`, call)).status);
    }
    expect(responses).toEqual([200, 200, 200, 200, 429, 429]);
  });

  it('of creates is of the address as well, however many accounts send from it; others are ten times as much', async () => {
    const api = await start({ RATE_LIMITS: 'creates=3/60,reads=1/60' });
    const as = async (user: number) =>
      from('192.0.2.1', { authorization: await authorization(user) });
    const create = async (user: number) =>
      await api.call('POST', '/api/v1/users', { ...(await as(user)), body: newUser() });
    const created: ReceivedResponse[] = [];
    for (const user of [1, 2, 3, 4]) created.push(await create(user));
    expect(created.map(({ status }) => status)).toEqual([201, 201, 201, 429]);
    const path = created[0]?.headers.get('location') ?? '';
    const read: number[] = [];
    for (let user = 1; user <= 11; user += 1) {
      read.push((await api.call('GET', path, await as(user))).status);
    }
    expect(read.slice(9)).toEqual([200, 429]);
  });

  it('of API keys that do not exist, refuses the next ones from that address before it looks them up', async () => {
    const statements = await startStatementCounter(database.writerUrl);
    onTestFinished(() => statements.close());
    const api = await start(
      {
        RATE_LIMITS: 'unknown-api-keys=3/60',
        DATABASE_URL: statements.through(database.writerUrl),
        // Nothing else asks the database.
        SQS_ENDPOINT: 'http://127.0.0.1:1',
      },
      undefined,
      QUIET,
    );
    const guess = () =>
      api.call<ProblemDetails>(
        'GET',
        '/api/v1/auth/me',
        from('192.0.2.1', { 'x-api-key': createApiKeyText() }),
      );
    // The service looks for events and for revocations when it starts, each on a connection that may take long to open.
    let atStart = 0;
    await eventually(() => {
      atStart += statements.take();
      expect(atStart).toBeGreaterThanOrEqual(2);
    });
    expect(await statuses(3, guess)).toEqual([401, 401, 401]);
    expect(statements.take()).toBeGreaterThanOrEqual(3);

    const refused = await guess();

    expect(refused.status).toBe(429);
    expect(refused.headers.get('ratelimit-policy')).toBe('"unknown-api-keys";q=3;w=60');
    expect(refused.headers.get('ratelimit')).toMatch(/^"unknown-api-keys";r=0;t=\d+$/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await statuses(20, guess)).toEqual(Array(20).fill(429));
    expect(statements.take()).toBe(0);
  });

  it('of what is not there counts, too: guessing paths is limited as reading is', async () => {
    const api = await start({ RATE_LIMITS: 'reads=2/60' });
    const guess = () => api.call('GET', '/nothing/here', from('192.0.2.1'));
    expect(await statuses(4, guess)).toEqual([404, 404, 429, 429]);
  });

  it.each([
    ['OPTIONS', ['OPTIONS /api/v1/users HTTP/1.1', 'Host: a'], 204],
    ['a method that is not taken', ['PATCH /api/v1/users HTTP/1.1', 'Host: a'], 405],
    ['too long a URL', [`GET /${'x'.repeat(3_000)} HTTP/1.1`, 'Host: a'], 414],
    ['two Host fields', ['GET /api/v1/users/1 HTTP/1.1', 'Host: a', 'Host: b'], 400],
    ['no Host', ['GET /api/v1/users/1 HTTP/1.1'], 400],
    ['HTTP/1.0 without Host', ['GET /api/v1/users/1 HTTP/1.0'], 400],
    ['a Host that is none', ['GET /api/v1/users/1 HTTP/1.1', 'Host: a b'], 400],
    ['an unknown expectation', ['GET / HTTP/1.1', 'Host: a', 'Expect: more'], 417],
    ['HTTP/1.0', ['GET /nothing HTTP/1.0', 'Host: a'], 404],
  ] as const)('counts %s as a read', async (_what, head, status) => {
    const api = await start({ RATE_LIMITS: 'reads=2/60' });
    const lines = [...head, 'X-Forwarded-For: 192.0.2.1', 'Connection: close', '', ''];
    const ask = () => sendRaw(api.port, lines.join('\r\n'));
    expect(await statuses(3, ask)).toEqual([status, status, 429]);
  });

  it.each([
    ['creates', 'POST', '/api/v1/users', (): unknown => newUser(), 201],
    ['updates', 'PATCH', '/api/v1/users/1', (): unknown => ({}), 200],
    ['deletes', 'DELETE', '/api/v1/users/999999999', (): unknown => undefined, 404],
    [
      'logins',
      'POST',
      '/api/v1/auth/login',
      (): unknown => ({ email: 'x@example.com', password: 'x' }),
      401,
    ],
  ] as const)('of %s, counts %s %s', async (policy, method, path, body, status) => {
    const api = await start({ RATE_LIMITS: `${policy}=2/60` });
    if (policy === 'updates') await createUser(api);
    const ask = (): Promise<ReceivedResponse> =>
      api.call(method, path, {
        ...(policy === 'logins' ? {} : { as: 'admin' as const }),
        body: body(),
      });
    expect(await statuses(3, ask)).toEqual([status, status, 429]);
  });
});

describeWithRedis('a limit that processes share', (redis) => {
  it('is one for all of them, and their Redis holds no address', async () => {
    // A busy machine must not look like an outage.
    const limits = {
      RATE_LIMITS: 'creates=3/60',
      REDIS_COMMAND_TIMEOUT_MILLISECONDS: '5000',
    };
    const [first, second] = [await start(limits, redis().url), await start(limits, redis().url)];
    const create = (api: TestApi) => () =>
      api.call('POST', '/api/v1/users', { ...from('192.0.2.77'), body: newUser() });
    expect(await statuses(2, create(first))).toEqual([201, 201]);
    expect(await statuses(2, create(second))).toEqual([201, 429]);
    expect(await statuses(1, create(first))).toEqual([429]);
  });

  it('of reads asks Redis for nothing on the way of a request', async () => {
    const api = await start({ RATE_LIMITS: 'reads=100000/60' }, redis().url);
    const { id } = await createUser(api);
    await statuses(5, () => api.call('GET', `/api/v1/users/${id}`));
    const { Redis } = await import('ioredis');
    const observer = new Redis(redis().url);
    onTestFinished(() => observer.disconnect());
    const scripts = async () => {
      const [, calls = '0'] =
        /cmdstat_evalsha:calls=(\d+)/.exec(await observer.info('commandstats')) ?? [];
      return Number(calls);
    };
    const before = await scripts();
    await statuses(50, () => api.call('GET', `/api/v1/users/${id}`));
    // What is settled afterwards, for all of them together.
    expect((await scripts()) - before).toBeLessThanOrEqual(2);
  });
});
