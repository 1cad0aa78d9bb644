import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ApiKeyScope } from '../../../../services/contracts/api-keys.ts';
import {
  decide,
  mayUseField,
  protect,
  routesWithoutPermission,
} from '../../../../services/user-api/auth/authorization.ts';
import type { Identity } from '../../../../services/user-api/auth/identity.ts';
import {
  permissions,
  userFieldPermissions,
} from '../../../../services/user-api/auth/permissions.ts';
import { permissionsPage } from '../../../../services/user-api/auth/permissions-page.ts';
import {
  callers,
  expected,
  expectedRecent,
  identityOf,
  isAllowed,
  nameOf,
  subjects,
} from './support/permission-cases.ts';

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

  it('takes a recent login for what is written down here, and for nothing that is open to all', () => {
    const recent = permissions.filter(({ login }) => login === 'recent');
    expect(recent.map(nameOf).sort()).toEqual([...expectedRecent].sort());
    expect(recent.filter(({ anonymous }) => anonymous === 'yes')).toEqual([]);
  });

  it('counts a login as recent for ten minutes, and no longer', () => {
    const row = permissions.find(({ login }) => login === 'recent');
    if (row === undefined) throw new Error('No row takes a recent login');
    vi.useFakeTimers({ now: 1_800_000_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    const admin = { kind: 'user', userId: 1, role: 'admin', sessionId: 'x' } as const;
    const at = (age: number) => decide(row, { ...admin, authenticatedAt: Date.now() - age }, '2');

    expect(at(600_000)).toBe('allowed');
    expect(at(600_001)).toBe('recent login required');
    expect(decide({ ...row, login: 'any' }, { ...admin, authenticatedAt: 0 }, '2')).toBe('allowed');
    expect(decide(row, { ...admin, role: 'user', authenticatedAt: 0 }, '2')).toBe('forbidden');
  });

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

describe('protect', () => {
  const context = { env: { incoming: { headers: {} } }, req: { param: () => undefined } };
  const route = {
    method: 'get',
    path: '/api/v1/secret',
    responses: {},
    getRoutingPath: () => '',
  } as const;
  const admin: Identity = {
    kind: 'user',
    userId: 1,
    role: 'admin',
    sessionId: 'x',
    authenticatedAt: 0,
  };

  it('refuses everybody where the table has no row, and names such routes', async () => {
    let responded = false;
    const operation = {
      route,
      handler: () => {
        responded = true;
        return new Response();
      },
    };
    for (const identity of [admin, Promise.resolve(admin)]) {
      const [refusing] = protect([operation], () => () => identity);
      const ask = async () => await refusing?.handler(context as never);
      await expect(ask()).rejects.toMatchObject({
        slug: 'forbidden',
        message: 'No permission has been given for this route.',
      });
    }

    expect(responded).toBe(false);
    const known = { ...operation, route: { ...route, path: '/api/v1/users' } };
    expect(routesWithoutPermission([known, operation])).toEqual(['GET /api/v1/secret']);
  });

  const keyWith = (...scopes: ApiKeyScope[]): Identity => ({
    kind: 'api-key',
    apiKeyId: 1,
    userId: 1,
    role: 'user',
    scopes,
  });
  const person: Identity = { ...admin, role: 'user', authenticatedAt: Date.now() };

  const identities = {
    nobody: { kind: 'anonymous' },
    'a person': person,
    'a person of an old login': { ...person, authenticatedAt: 0 },
    'a key': keyWith('users:write'),
    'a deleting key': keyWith('users:delete'),
  } satisfies Record<string, Identity>;

  it.each<[string, string, keyof typeof identities, string, string, string]>([
    ['delete', '', 'nobody', '1', 'credentials-required', 'This takes a login'],
    ['delete', '', 'a person of an old login', '1', 'login-too-old', 'a login of the last'],
    ['delete', '', 'a person', '2', 'forbidden', 'Your role does not allow this.'],
    ['get', '/api-keys', 'a key', '1', 'forbidden', 'API keys may not do this; log in.'],
    ['delete', '', 'a key', '1', 'forbidden', 'The API key does not have the scope users:delete.'],
    [
      'delete',
      '',
      'a deleting key',
      '2',
      'forbidden',
      "The role of the API key's owner does not allow this.",
    ],
  ])('refuses %s …%s, by %s on user %s: %s, %s', async (method, path, who, id, slug, reason) => {
    let responded = false;
    const [operation] = protect(
      [
        {
          route: { ...route, method: method as 'get', path: `/api/v1/users/{id}${path}` },
          handler: () => {
            responded = true;
            return new Response();
          },
        },
      ],
      () => () => identities[who],
    );
    const param = (name: string) => (name === 'id' ? id : undefined);
    const ask = async () => await operation?.handler({ ...context, req: { param } } as never);

    await expect(ask()).rejects.toMatchObject({ slug, message: expect.stringContaining(reason) });
    expect(responded).toBe(false);
  });

  it('answers at once, with no promise, where nothing has to be waited for', () => {
    const operation = {
      route: { ...route, path: '/api/v1/users/{id}' },
      handler: (_context: unknown, identity: Identity) => new Response(identity.kind),
    };
    const [open] = protect([operation], () => () => ({ kind: 'anonymous' }));

    expect(open?.handler(context as never)).toBeInstanceOf(Response);
  });
});

describe('fields of a user', () => {
  const user: Identity = {
    kind: 'user',
    userId: 1,
    role: 'user',
    sessionId: 'x',
    authenticatedAt: Date.now(),
  };
  const admin: Identity = { ...user, userId: 2, role: 'admin' };
  const key = (owner: typeof user, ...scopes: ApiKeyScope[]): Identity => ({
    kind: 'api-key',
    apiKeyId: 1,
    userId: owner.userId,
    role: owner.role,
    scopes,
  });

  it.each<[string, Identity, boolean, boolean, boolean]>([
    ['anonymous', { kind: 'anonymous' }, false, false, false],
    ['the person', user, true, false, true],
    ['another person', { ...user, userId: 3 }, false, false, false],
    ['an admin', admin, true, true, true],
    ['a key of the person without a scope', key(user), false, false, false],
    ['a key of the person', key(user, 'users:read-private', 'users:write'), true, false, false],
    [
      'a key of another person',
      key({ ...user, userId: 3 }, 'users:read-private'),
      false,
      false,
      false,
    ],
    ['a key of an admin', key(admin, 'users:read-private'), true, false, false],
    ['a writing key of an admin', key(admin, 'users:write'), false, true, false],
  ])('are for %s as the table says', (_who, identity, seesEmail, setsStatus, setsEmail) => {
    expect(mayUseField(userFieldPermissions.readEmail, identity, 1)).toBe(seesEmail);
    expect(mayUseField(userFieldPermissions.writeStatus, identity, 1)).toBe(setsStatus);
    expect(mayUseField(userFieldPermissions.writeEmail, identity, 1)).toBe(setsEmail);
  });
});

describe('permissionsPage', () => {
  it('shows each row once, in the words of the table', () => {
    const page = permissionsPage();

    for (const { method, path } of permissions) {
      expect(page.split(`| ${method} | \`${path}\` |`)).toHaveLength(2);
    }
    expect(page).toContain(
      '| DELETE | `/api/v1/users/{id}` | – | yes | – | yes | `users:delete` | recent |',
    );
    expect(page).toContain(
      '| POST | `/api/v1/users/{id}/api-keys` | – | yes | – | self | – | recent |',
    );
    expect(page).toContain('| PUT | `/api/v1/users/{id}/role` | – | – | – | yes | – | recent |');
    expect(page).toContain('| GET | `/api/v1/auth/me` | – | yes | yes | yes | any |  |');
    expect(page).toContain('| `email` | read | – | yes | – | yes | `users:read-private` |  |');
  });
});
