import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiKeyScope, CreatedApiKey } from '../../../../services/contracts/api-keys.ts';
import type { User } from '../../../../services/contracts/users.ts';
import { permissions } from '../../../../services/user-api/auth/permissions.ts';
import { authorization, createUser, newUser, startApiOnNewDatabase } from '../support/api.ts';

/** Requests to an operation, about a user; those that take a guess at the email address are made with a right and a wrong one. */
interface Probe {
  readonly path?: string;
  readonly body?: (guess: string) => object;
  readonly headers?: Readonly<Record<string, string>>;
}

const stale = { 'if-match': '"v999"' };
const fields = { name: 'Ada Lovelace', status: 'active' };

/** Every operation of the API that is about users or their credentials. */
const probes: Readonly<Record<string, readonly Probe[]>> = {
  'GET /api/v1/users': [{}, { path: '?name_prefix=Ada' }, { path: '?page=1' }],
  'POST /api/v1/users': [{ body: () => ({ ...newUser(), email: 'no address' }) }],
  'GET /api/v1/users/{id}': [{}, { headers: { 'if-none-match': '"v1-private"' } }],
  'PATCH /api/v1/users/{id}': [
    { body: () => ({ name: 'Ada Lovelace' }) },
    { body: () => ({}) },
    { body: () => ({ status: 'active' }) },
    { body: (email) => ({ email }) },
    { body: (email) => ({ email: email.toUpperCase() }) },
    { body: (email) => ({ email, status: 'active' }) },
    { body: (email) => ({ email }), headers: stale },
    { body: (email) => ({ email, nonsense: true }) },
  ],
  'PUT /api/v1/users/{id}': [
    { body: (email) => ({ ...fields, email }) },
    { body: (email) => ({ ...fields, email }), headers: stale },
    { body: (email) => ({ ...fields, email, status: 'nonsense' }) },
  ],
  'DELETE /api/v1/users/{id}': [{ headers: stale }],
  'GET /api/v1/users/{id}/export': [{}],
  'PUT /api/v1/users/{id}/role': [{ body: () => ({ role: 'user' }) }],
  'GET /api/v1/users/{id}/api-keys': [{}],
  'POST /api/v1/users/{id}/api-keys': [{ body: () => ({ name: 'x', scopes: [] }) }],
  'DELETE /api/v1/users/{id}/api-keys/{apiKeyId}': [{}],
  'DELETE /api/v1/users/{id}/sessions': [],
  'POST /api/v1/auth/login': [{ body: (email) => ({ email, password: 'not the password' }) }],
  'POST /api/v1/auth/refresh': [{ body: () => ({ refreshToken: 'x' }) }],
  'POST /api/v1/auth/logout': [{ body: () => ({ refreshToken: 'x' }) }],
  'GET /api/v1/auth/me': [{}],
  'PUT /api/v1/auth/password': [
    { body: () => ({ currentPassword: 'not the password', newPassword: 'a long pass phrase' }) },
  ],
  'POST /api/v1/auth/password-resets': [{ body: (email) => ({ email }) }],
  'POST /api/v1/auth/password-resets/confirm': [
    { body: () => ({ token: 'x', newPassword: 'a long pass phrase' }) },
  ],
};

describe('the email address of a user', () => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  let sql: Sql;
  let subject: User;
  const callers = new Map<string, Readonly<Record<string, string>>>();

  beforeAll(async () => {
    api = await startApiOnNewDatabase();
    sql = postgres(api.database.writerUrl, { max: 1, onnotice: () => {} });
    subject = await createUser(api, { email: 'the.subject@example.com' });
    const [other, administrator] = [await createUser(api), await createUser(api)];
    await sql`insert into accounts (user_id, role) values (${administrator.id}, 'admin')`;
    callers.set('nobody', {});
    callers.set('somebody else', { authorization: await authorization(other.id) });
    const scopes: readonly ApiKeyScope[] = ['users:write', 'users:delete'];
    for (const [who, { id }] of [
      ['the person', subject],
      ['an administrator', administrator],
    ] as const) {
      for (const has of [[], ...scopes.map((scope) => [scope]), scopes]) {
        const created = await api.call<CreatedApiKey>('POST', `/api/v1/users/${id}/api-keys`, {
          as: id,
          body: { name: 'of a test', scopes: has },
        });
        callers.set(`a key of ${who} with [${has}]`, { 'x-api-key': created.body.key });
      }
    }
  });
  afterAll(async () => {
    await sql.end();
    await api.stop();
  });

  it('is looked for in the response of every operation', () => {
    const operations = permissions
      .filter(({ path }) => path.startsWith('/api/v1'))
      .map(({ method, path }) => `${method} ${path}`);
    expect(Object.keys(probes).sort()).toEqual(operations.sort());
  });

  it.each(Object.entries(probes))(
    'is not in a response of %s, nor told by one that depends on a guess, to who may not see it',
    async (operation, requests) => {
      const [method = '', pattern = ''] = operation.split(' ');
      const path = pattern.replace('{id}', String(subject.id)).replace('{apiKeyId}', '999999');
      for (const [who, credentials] of callers) {
        for (const { path: query = '', body, headers } of requests) {
          const ask = async (guess: string) => {
            const response = await api.call(method, path + query, {
              headers: { ...credentials, ...headers },
              ...(body === undefined ? {} : { body: body(guess) }),
            });
            expect(response.text, who).not.toContain(subject.email);
            expect(JSON.stringify([...response.headers]), who).not.toContain(subject.email);
            // What differs between any two responses.
            const text = response.text.replace(
              /"(requestId|updatedAt|version|exportedAt)":[^,}]+/g,
              '',
            );
            return {
              status: response.status,
              text,
              caching: response.headers.get('cache-control'),
            };
          };
          const right = await ask(subject.email);
          if (body !== undefined && body.length > 0) {
            expect(await ask('nobody.at.all@example.com'), `${who} ${body}`).toEqual(right);
          }
        }
      }
    },
  );
});
