import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ApiKeyScope,
  apiKeyScopeNames,
  type CreatedApiKey,
} from '../../../../services/contracts/api-keys.ts';
import type { ProblemDetails } from '../../../../services/contracts/problem.ts';
import {
  decide,
  mayUseField,
  protect,
  routesWithoutPermission,
} from '../../../../services/user-api/auth/authorization.ts';
import type { Identity } from '../../../../services/user-api/auth/identity.ts';
import {
  type Permission,
  permissions,
  userFieldPermissions,
} from '../../../../services/user-api/auth/permissions.ts';
import { permissionsPage } from '../../../../services/user-api/auth/permissions-page.ts';
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

/** Every kind of caller there is: no credentials, a login, and a key of each owner with no scope, and with each scope alone. */
const callers = [
  'anonymous',
  'user',
  'admin',
  ...(['user', 'admin'] as const).flatMap((owner) => [
    `key of ${owner}` as const,
    ...apiKeyScopeNames.map((scope) => `key of ${owner} with ${scope}` as const),
  ]),
] as const;
type Caller = (typeof callers)[number];

/** Whose `{id}` is in the path. */
const subjects = ['self', 'other'] as const;
type Subject = (typeof subjects)[number];

/**
 * What the table says, written down a second time and by hand: for each route who may, all others may not. Should the table change by
 * mistake, the two differ.
 */
const everybody = ['anonymous', 'user', 'admin', 'keys'];
const selfOrAdmin = ['user: self', 'admin'];
const expected: Readonly<Record<string, readonly string[]>> = {
  'GET /health': everybody,
  'GET /health/live': everybody,
  'GET /health/ready': everybody,
  'GET /problems': everybody,
  'GET /problems/{slug}': everybody,
  'GET /openapi.json': everybody,
  'GET /docs': everybody,
  'GET /.well-known/jwks.json': everybody,
  'GET /reset-password': everybody,
  'GET /api/v1/users': everybody,
  'POST /api/v1/users': everybody,
  'GET /api/v1/users/{id}': everybody,
  'PATCH /api/v1/users/{id}': [...selfOrAdmin, 'users:write'],
  'PUT /api/v1/users/{id}': [...selfOrAdmin, 'users:write'],
  'DELETE /api/v1/users/{id}': [...selfOrAdmin, 'users:delete'],
  'GET /api/v1/users/{id}/export': [...selfOrAdmin, 'users:read-private'],
  'PUT /api/v1/users/{id}/role': ['admin'],
  'GET /api/v1/users/{id}/api-keys': selfOrAdmin,
  'POST /api/v1/users/{id}/api-keys': ['user: self', 'admin: self'],
  'DELETE /api/v1/users/{id}/api-keys/{apiKeyId}': selfOrAdmin,
  'DELETE /api/v1/users/{id}/sessions': selfOrAdmin,
  'POST /api/v1/auth/login': everybody,
  'POST /api/v1/auth/refresh': everybody,
  'POST /api/v1/auth/logout': everybody,
  'GET /api/v1/auth/me': ['user', 'admin', 'keys'],
  'PUT /api/v1/auth/password': ['user', 'admin'],
  'POST /api/v1/auth/password-resets': everybody,
  'POST /api/v1/auth/password-resets/confirm': everybody,
};

function isAllowed(allowed: readonly string[], caller: Caller, subject: Subject): boolean {
  if (caller === 'anonymous') return allowed.includes('anonymous');
  const [, owner = caller, scope] = /^key of (\w+)(?: with (.+))?$/.exec(caller) ?? [];
  const ownerMay =
    allowed.includes(owner) || (subject === 'self' && allowed.includes(`${owner}: self`));
  if (!caller.startsWith('key')) return ownerMay;
  return ownerMay && (allowed.includes('keys') || (scope !== undefined && allowed.includes(scope)));
}

/** Such a caller, whose user has the id 1. */
function identityOf(caller: Caller): Identity {
  if (caller === 'anonymous') return { kind: 'anonymous' };
  const role = caller.includes('admin') ? 'admin' : 'user';
  if (!caller.startsWith('key')) return { kind: 'user', userId: 1, role, sessionId: 'x' };
  const scopes = apiKeyScopeNames.filter((scope) => caller.endsWith(scope));
  return { kind: 'api-key', apiKeyId: 1, userId: 1, role, scopes };
}

const nameOf = ({ method, path }: Permission) => `${method} ${path}`;

describe('the table of permissions', () => {
  it('has the routes that are written down here, each once', () => {
    expect(permissions.map(nameOf).sort()).toEqual(Object.keys(expected).sort());
  });

  it.each(permissions.map((row) => [nameOf(row), row] as const))(
    'judges every caller of %s as written down here',
    (name, row) => {
      for (const caller of callers) {
        for (const subject of subjects) {
          const decision = decide(row, identityOf(caller), subject === 'self' ? '1' : '2');
          const allowed = isAllowed(expected[name] ?? [], caller, subject);
          expect(decision === 'allowed', `${caller}, ${subject}`).toBe(allowed);
        }
        if (row.user === 'self') {
          expect(decide(row, identityOf(caller), undefined)).toBe(
            caller === 'anonymous' ? 'credentials required' : decide(row, identityOf(caller), '2'),
          );
        }
      }
    },
  );

  it('gives nobody less for having said who they are', () => {
    for (const row of permissions.filter(({ anonymous }) => anonymous === 'yes')) {
      expect([row.user, row.admin, row.apiKey], nameOf(row)).toEqual(['all', 'all', 'any key']);
    }
  });

  it('says `self` only where the path has an id to compare with', () => {
    for (const row of permissions.filter(({ user, admin }) => [user, admin].includes('self'))) {
      expect(row.path).toContain('{id}');
    }
  });

  it('never opens to keys what makes, or ends, other credentials', () => {
    const sensitive = /api-keys|sessions|role$|auth\/password$/;
    for (const row of permissions.filter(({ path }) => sensitive.test(path))) {
      expect(row.apiKey, nameOf(row)).toBe('no key');
    }
  });
});

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
    const answer = await api.call<CreatedApiKey>('POST', `/api/v1/users/${person.id}/api-keys`, {
      token,
      body: { name: 'a cell', scopes: scope === undefined ? [] : [scope] },
    });
    return answer.body.key;
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
      const answer = await call(row, caller, subject);

      const problem = /json/.test(answer.headers.get('content-type') ?? '')
        ? answer.body?.type
        : undefined;
      if (isAllowed(expected[name] ?? [], caller, subject)) {
        expect([401, 403]).not.toContain(answer.status);
        expect(answer.status).toBeLessThan(500);
      } else if (caller === 'anonymous') {
        expect(answer.status).toBe(401);
        expect(problem).toBe('/problems/credentials-required');
        expect(answer.headers.get('www-authenticate')).toContain('Bearer');
      } else {
        expect(answer.status).toBe(403);
        expect(problem).toBe('/problems/forbidden');
      }
    },
  );

  it("is the same for one's own things that are then gone", async () => {
    for (const path of ['/sessions', '/api-keys/999999', '']) {
      const person = await createPerson(api, sql);
      const { accessToken } = await logIn(api, person);
      const answer = await api.call('DELETE', `/api/v1/users/${person.id}${path}`, {
        token: accessToken,
      });
      expect(answer.status).toBe(path.startsWith('/api-keys') ? 404 : 204);
    }
  });

  it.each(['0', '-1', '01', '1.0', '1e0', '%31x', 'me', '9007199254740993'])(
    'gives nobody a self by another spelling of an id: %s',
    async (id) => {
      const answer = await api.call('PATCH', `/api/v1/users/${id}`, {
        ...credentials.get('user'),
        body: { name: 'X' },
      });

      expect(answer.status).toBe(403);
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
      const answer = await api.call<ProblemDetails>('GET', '/api/v1/users', call);
      expect(answer.status).toBe(401);
      expect(answer.body.type).toMatch(/invalid-(access-token|api-key)$/);
    }
  });

  it('takes the scheme in any case and with any number of blanks', async () => {
    const token = credentials.get('user')?.token;
    for (const authorization of [`bearer ${token}`, `BEARER   ${token}`, `Bearer ${token}`]) {
      const answer = await api.call('GET', '/api/v1/auth/me', { headers: { authorization } });
      expect(answer.status).toBe(200);
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

  it('keeps one of two admins who remove each other at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      await sql`update accounts set role = 'user'`;
      const pair = await Promise.all(
        [1, 2].map(async () => {
          const person = await createPerson(api, sql, { role: 'admin' });
          return { person, token: (await logIn(api, person)).accessToken };
        }),
      );
      const [first, second] = pair;
      if (first === undefined || second === undefined) throw new Error('no pair');
      const remove = (by: typeof first, whom: typeof first) =>
        api.call('PUT', `/api/v1/users/${whom.person.id}/role`, {
          token: by.token,
          body: { role: 'user' },
        });

      await Promise.all([remove(first, second), remove(second, first)]);

      const [left] = await sql`select count(*)::int as admins from accounts where role = 'admin'`;
      expect(left?.admins).toBe(1);
    }
  });
});

describe('protect', () => {
  const context = { env: { incoming: { headers: {} } }, req: { param: () => undefined } };
  const route = {
    method: 'get',
    path: '/api/v1/secret',
    responses: {},
    getRoutingPath: () => '',
  } as const;
  const admin: Identity = { kind: 'user', userId: 1, role: 'admin', sessionId: 'x' };

  it('refuses everybody where the table has no row, and names such routes', async () => {
    let answered = false;
    const operation = {
      route,
      handler: () => {
        answered = true;
        return new Response();
      },
    };
    for (const identity of [admin, Promise.resolve(admin)]) {
      const [refusing] = protect([operation], { authenticate: () => identity });
      const ask = async () => await refusing?.handler(context as never);
      await expect(ask()).rejects.toMatchObject({ slug: 'forbidden' });
    }

    expect(answered).toBe(false);
    expect(routesWithoutPermission([operation])).toEqual(['GET /api/v1/secret']);
  });

  it('answers at once, with no promise, where nothing has to be waited for', () => {
    const operation = {
      route: { ...route, path: '/api/v1/users/{id}' },
      handler: (_context: unknown, identity: Identity) => new Response(identity.kind),
    };
    const [open] = protect([operation], { authenticate: () => ({ kind: 'anonymous' }) });

    expect(open?.handler(context as never)).toBeInstanceOf(Response);
  });
});

describe('fields of a user', () => {
  const user: Identity = { kind: 'user', userId: 1, role: 'user', sessionId: 'x' };
  const admin: Identity = { ...user, userId: 2, role: 'admin' };
  const key = (owner: typeof user, ...scopes: ApiKeyScope[]): Identity => ({
    kind: 'api-key',
    apiKeyId: 1,
    userId: owner.userId,
    role: owner.role,
    scopes,
  });

  it.each<[string, Identity, boolean, boolean]>([
    ['anonymous', { kind: 'anonymous' }, false, false],
    ['the person', user, true, false],
    ['another person', { ...user, userId: 3 }, false, false],
    ['an admin', admin, true, true],
    ['a key of the person without a scope', key(user), false, false],
    ['a key of the person', key(user, 'users:read-private', 'users:write'), true, false],
    ['a key of another person', key({ ...user, userId: 3 }, 'users:read-private'), false, false],
    ['a key of an admin', key(admin, 'users:read-private'), true, false],
    ['a writing key of an admin', key(admin, 'users:write'), false, true],
  ])('are for %s as the table says', (_who, identity, seesEmail, setsStatus) => {
    expect(mayUseField(userFieldPermissions.readEmail, identity, 1)).toBe(seesEmail);
    expect(mayUseField(userFieldPermissions.writeStatus, identity, 1)).toBe(setsStatus);
  });
});

describe('permissionsPage', () => {
  it('shows each row once, in the words of the table', () => {
    const page = permissionsPage();

    for (const { method, path } of permissions) {
      expect(page.split(`| ${method} | \`${path}\` |`)).toHaveLength(2);
    }
    expect(page).toContain(
      '| DELETE | `/api/v1/users/{id}` | – | yes | – | yes | `users:delete` |',
    );
    expect(page).toContain('| POST | `/api/v1/users/{id}/api-keys` | – | yes | – | self | – |');
    expect(page).toContain('| PUT | `/api/v1/users/{id}/role` | – | – | – | yes | – |');
    expect(page).toContain('| GET | `/api/v1/auth/me` | – | yes | yes | yes | any |');
    expect(page).toContain('| `email` | read | – | yes | – | yes | `users:read-private` |');
  });
});
