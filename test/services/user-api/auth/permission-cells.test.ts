import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type ApiKeyScope,
  apiKeyScopeNames,
  type CreatedApiKey,
} from '../../../../services/contracts/api-keys.ts';
import type { ProblemDetails } from '../../../../services/contracts/problem.ts';
import { type Permission, permissions } from '../../../../services/user-api/auth/permissions.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import {
  type AuthApi,
  type CallOptions,
  connect,
  createPerson,
  logIn,
  type Person,
  startAuthApi,
} from './support/auth-api.ts';
import {
  type Caller,
  callers,
  expected,
  isAllowed,
  nameOf,
  type Subject,
  subjects,
} from './support/permission-cases.ts';

describeWithRedis('each cell of the table of permissions', (redis) => {
  let database: TestDatabase;
  let sql: Sql;
  let api: AuthApi;
  const credentials = new Map<Caller, CallOptions>();
  const people = new Map<'user' | 'admin', Person>();

  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = connect(database);
    api = await startAuthApi({ database, redisUrl: redis().url });
    credentials.set('anonymous', {});
    for (const role of ['user', 'admin'] as const) {
      const person = await createPerson(api, sql, { role });
      const token = (await logIn(api, person)).accessToken;
      people.set(role, person);
      credentials.set(role, { token });
      for (const scope of [undefined, ...apiKeyScopeNames]) {
        const apiKey = await createKey(person, token, scope);
        const caller = `key of ${role}` as const;
        credentials.set(scope === undefined ? caller : `${caller} with ${scope}`, { apiKey });
      }
    }
  });
  afterAll(async () => {
    await api?.stop();
    await sql?.end();
    await database?.drop();
  });

  async function createKey(person: Person, token: string, scope: ApiKeyScope | undefined) {
    const response = await api.call<CreatedApiKey>('POST', `/api/v1/users/${person.id}/api-keys`, {
      token,
      body: { name: 'a cell', scopes: scope === undefined ? [] : [scope] },
    });
    return response.body.key;
  }

  /** Routes that are served here; the cells of the others are judged above. */
  const served = permissions.filter(
    ({ path }) =>
      (path.startsWith('/api/v1') && !path.endsWith('/export')) || path.includes('jwks'),
  );
  const cells = served.flatMap((row) =>
    callers.flatMap((caller) =>
      (row.path.includes('{id}') && caller !== 'anonymous' ? subjects : (['other'] as const)).map(
        (subject) => [nameOf(row), caller, subject, row] as const,
      ),
    ),
  );

  /** A fresh person to do things to, so that no cell sees what another did. */
  async function call(row: Permission, caller: Caller, subject: Subject) {
    const owner = caller.includes('admin') ? 'admin' : 'user';
    const self = people.get(owner);
    const id =
      subject === 'self' ? self?.id : (await createPerson(api, sql, { password: null })).id;
    const path = row.path.replace('{id}', String(id)).replace('{apiKeyId}', '999999');
    return await api.call<ProblemDetails>(row.method, path, {
      ...credentials.get(caller),
      // A body that no operation takes, so that what is allowed still changes nothing.
      ...(row.method === 'GET' || row.method === 'DELETE' ? {} : { body: { nonsense: true } }),
    });
  }

  it.each(cells.filter(([, , subject, row]) => !(row.method === 'DELETE' && subject === 'self')))(
    '%s by %s, %s',
    async (name, caller, subject, row) => {
      const response = await call(row, caller, subject);

      const problem = /json/.test(response.headers.get('content-type') ?? '')
        ? response.body?.type
        : undefined;
      if (isAllowed(expected[name] ?? [], caller, subject)) {
        expect([401, 403]).not.toContain(response.status);
        expect(response.status).toBeLessThan(500);
      } else if (caller === 'anonymous') {
        expect(response.status).toBe(401);
        expect(problem).toBe('/problems/credentials-required');
        expect(response.headers.get('www-authenticate')).toContain('Bearer');
      } else {
        expect(response.status).toBe(403);
        expect(problem).toBe('/problems/forbidden');
      }
    },
  );

  it("is the same for one's own things that are then gone", async () => {
    for (const path of ['/sessions', '/api-keys/999999', '']) {
      const person = await createPerson(api, sql);
      const { accessToken } = await logIn(api, person);
      const response = await api.call('DELETE', `/api/v1/users/${person.id}${path}`, {
        token: accessToken,
      });
      expect(response.status).toBe(path.startsWith('/api-keys') ? 404 : 204);
    }
  });

  it.each(['0', '-1', '01', '1.0', '1e0', '%31x', 'me', '9007199254740993'])(
    'gives nobody a self by another spelling of an id: %s',
    async (id) => {
      const response = await api.call('PATCH', `/api/v1/users/${id}`, {
        ...credentials.get('user'),
        body: { name: 'X' },
      });

      expect(response.status).toBe(403);
    },
  );

  it('is asked for HEAD as for GET, and is not what answers OPTIONS and methods that there are not', async () => {
    const path = `/api/v1/users/${people.get('user')?.id}/api-keys`;

    expect((await api.call('HEAD', path)).status).toBe(401);
    expect((await api.call('HEAD', path, credentials.get('user'))).status).toBe(200);
    expect((await api.call('OPTIONS', path)).status).toBe(204);
    expect((await api.call('PATCH', path)).status).toBe(405);
  });

  it('is not reached with bad credentials, even where none are needed', async () => {
    for (const call of [
      { token: 'not a token' },
      { apiKey: 'not a key' },
      { headers: { authorization: 'Basic YTpi' } },
      { headers: { authorization: 'Bearer' } },
      { headers: { authorization: '' } },
    ]) {
      const response = await api.call<ProblemDetails>('GET', '/api/v1/users', call);
      expect(response.status).toBe(401);
      expect(response.body.type).toMatch(/invalid-(access-token|api-key)$/);
    }
  });

  it('takes the scheme in any case and with any number of blanks', async () => {
    const token = credentials.get('user')?.token;
    for (const authorization of [`bearer ${token}`, `BEARER   ${token}`, `Bearer ${token}`]) {
      const response = await api.call('GET', '/api/v1/auth/me', { headers: { authorization } });
      expect(response.status).toBe(200);
    }
  });

  it("lets an admin give roles, and take them, but not the last one's own", async () => {
    const person = await createPerson(api, sql);
    const { accessToken } = await logIn(api, person);
    const setRole = (id: number | undefined, role: string) =>
      api.call<ProblemDetails>('PUT', `/api/v1/users/${id}/role`, {
        ...credentials.get('admin'),
        body: { role },
      });

    const last = await setRole(people.get('admin')?.id, 'user');
    const given = await setRole(person.id, 'admin');
    const old = await api.call('GET', '/api/v1/auth/me', { token: accessToken });
    const now = await api.call<{ role: string }>('GET', '/api/v1/auth/me', {
      token: (await logIn(api, person)).accessToken,
    });
    const taken = await setRole(person.id, 'user');

    expect([last.status, last.body.type]).toEqual([409, '/problems/last-admin']);
    expect([given.status, taken.status]).toEqual([200, 200]);
    expect(old.status).toBe(401);
    expect(now.body.role).toBe('admin');
    expect((await setRole(999_999_999, 'admin')).status).toBe(404);
    expect((await setRole(person.id, 'root')).status).toBe(422);
  });
});
