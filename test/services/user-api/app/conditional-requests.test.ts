import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUser, newUser, startApiOnNewDatabase, type TestApi } from '../support/api.ts';

type Conditions = Readonly<Record<string, string>>;

let api: TestApi;
beforeAll(async () => {
  api = await startApiOnNewDatabase({ readers: false });
});
afterAll(() => api.stop());

const DATE = new Date(0).toUTCString();

/** Responses for a user of version 1, by method: one that reads, and those that change. */
const cases: readonly (readonly [Conditions, read: number, change: number | 'done'])[] = [
  [{ 'if-match': '"v1-private"' }, 200, 'done'],
  [{ 'if-match': '"v9", "v1-private"' }, 200, 'done'],
  [{ 'if-match': '*' }, 200, 'done'],
  [{ 'if-match': '"v999"' }, 412, 412],
  [{ 'if-match': 'W/"v1-private"' }, 412, 412],
  [{ 'if-match': 'nonsense' }, 412, 412],
  [{ 'if-none-match': '"v1-private"' }, 304, 412],
  [{ 'if-none-match': 'W/"v1-private"' }, 304, 412],
  [{ 'if-none-match': '"v9", "v1-private"' }, 304, 412],
  [{ 'if-none-match': '*' }, 304, 412],
  [{ 'if-none-match': '"v2"' }, 200, 'done'],
  [{ 'if-match': '"v1-private"', 'if-none-match': '"v2"' }, 200, 'done'],
  [{ 'if-match': '"v1-private"', 'if-none-match': '"v1-private"' }, 304, 412],
  [{ 'if-match': '"v9"', 'if-none-match': '"v1-private"' }, 412, 412],
  // There is no Last-Modified to compare with: a read is not harmed, a change is not made.
  [{ 'if-modified-since': DATE }, 200, 'done'],
  [{ 'if-unmodified-since': DATE }, 200, 412],
  [{ 'if-unmodified-since': DATE, 'if-match': '"v1-private"' }, 200, 'done'],
];

describe.each(cases)('a request with %j', (headers, read, change) => {
  it.each(['GET', 'HEAD'])(`by %s gets ${read}`, async (method) => {
    const { id } = await createUser(api);
    const response = await api.call(method, `/api/v1/users/${id}`, { as: 'admin', headers });
    expect(response.status).toBe(read);
  });

  it.each(['PUT', 'PATCH', 'DELETE'])(`by %s is ${change}`, async (method) => {
    const user = await createUser(api);
    const path = `/api/v1/users/${user.id}`;
    const { email } = user;
    const changes = { name: 'Changed' };
    const body = {
      PUT: { ...changes, email, status: 'active' },
      PATCH: changes,
      DELETE: undefined,
    }[method];
    const response = await api.call(method, path, { as: 'admin', headers, body });
    const isDone = change === 'done';
    expect(response.status, response.text).toBe(
      isDone ? (method === 'DELETE' ? 204 : 200) : change,
    );
    const now = await api.call('GET', path, { as: 'admin' });
    if (!isDone) expect(now.body).toEqual(user);
    else if (method === 'DELETE') expect(now.status).toBe(404);
    else expect(now.body).toMatchObject({ name: 'Changed', version: 2 });
  });

  it('by PATCH without a change is answered by the same rule', async () => {
    const { id } = await createUser(api);
    const options = { as: 'admin', headers, body: {} } as const;
    const response = await api.call('PATCH', `/api/v1/users/${id}`, options);
    expect(response.status).toBe(change === 'done' ? 200 : change);
  });

  it('for a user who is not there gets 404', async () => {
    const response = await api.call('DELETE', '/api/v1/users/999999999', { as: 'admin', headers });
    expect(response.status).toBe(404);
  });
});

describe('without credentials, by the fast path or not', () => {
  it.each([
    [{ 'if-match': '"v1"' }, 200],
    [{ 'if-match': '"v1-private"' }, 412],
    [{ 'if-none-match': '"v1"' }, 304],
  ])('%j gets %i', async (headers, status) => {
    const { id } = await createUser(api);
    expect((await api.call('GET', `/api/v1/users/${id}`, { headers })).status).toBe(status);
  });
});

describe('an operation without preconditions', () => {
  const conditions: readonly Conditions[] = [
    { 'if-match': '"v1"' },
    { 'if-none-match': '*' },
    { 'if-unmodified-since': DATE },
  ];

  it.each(conditions)('that changes something, refuses %j and changes nothing', async (headers) => {
    const body = newUser();
    const refused = await api.call('POST', '/api/v1/users', { headers, body });
    expect(refused.status).toBe(412);
    expect((await api.call('POST', '/api/v1/users', { body })).status).toBe(201);
  });

  it.each(['/api/v1/users', '/openapi.json', '/health/live', '/problems'])(
    'that reads %s, compares If-Match with what is there',
    async (path) => {
      expect((await api.call('GET', path, { headers: { 'if-match': '"v0"' } })).status).toBe(412);
      expect((await api.call('GET', path, { headers: { 'if-match': '*' } })).status).toBe(200);
      const etag = (await api.call('GET', path)).headers.get('etag');
      if (etag === null) return;
      expect((await api.call('GET', path, { headers: { 'if-match': etag } })).status).toBe(200);
    },
  );
});
