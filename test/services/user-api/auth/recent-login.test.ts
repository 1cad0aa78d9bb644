import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreatedApiKey } from '../../../../services/contracts/api-keys.ts';
import type { ProblemDetails } from '../../../../services/contracts/problem.ts';
import { RECENT_LOGIN_SECONDS } from '../../../../services/user-api/auth/permissions.ts';
import { authorization, createUser, startApiOnNewDatabase } from '../support/api.ts';

/** What takes a recent login, of the person (or of an administrator, for `role`), and how it succeeds. */
const actions = [
  { name: 'an API key', method: 'POST', path: '/api-keys', body: { name: 'x', scopes: [] } },
  { name: 'an export', method: 'GET', path: '/export' },
  { name: 'a role', method: 'PUT', path: '/role', body: { role: 'admin' } },
  { name: 'an erasure', method: 'DELETE', path: '' },
] as const;

describe('a login of more than ten minutes ago', () => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  let sql: Sql;

  beforeAll(async () => {
    api = await startApiOnNewDatabase();
    sql = postgres(api.database.writerUrl, { max: 1, onnotice: () => {} });
  });
  afterAll(async () => {
    await sql.end();
    await api.stop();
  });

  const loggedIn = async (caller: 'admin' | number, secondsAgo: number) => ({
    authorization: await authorization(caller, undefined, Date.now() - 1_000 * secondsAgo),
  });
  const held = async (id: number) =>
    (
      await sql`
        select users.version, accounts.role, count(api_keys.id)::int as keys,
          (select count(*)::int from audit_records where subject_id = users.id) as exports
        from users left join accounts on accounts.user_id = users.id
        left join api_keys on api_keys.user_id = users.id
        where users.id = ${id} group by users.id, accounts.role`
    )[0];

  it.each(actions)('is not enough for $name, and nothing is done', async (action) => {
    const { id } = await createUser(api);
    const caller = action.path === '/role' ? 'admin' : id;
    const before = await held(id);
    const ask = async (secondsAgo: number) =>
      await api.call<ProblemDetails>(action.method, `/api/v1/users/${id}${action.path}`, {
        headers: await loggedIn(caller, secondsAgo),
        ...('body' in action ? { body: action.body } : {}),
      });

    const refused = await ask(RECENT_LOGIN_SECONDS + 5);

    expect([refused.status, refused.body.type]).toEqual([401, '/problems/login-too-old']);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="headroom", error="insufficient_user_authentication", max_age="600"',
    );
    expect(await held(id)).toEqual(before);
    expect((await ask(RECENT_LOGIN_SECONDS - 5)).status).toBeLessThan(300);
  });

  it('is enough to take access away: to revoke API keys and to log out everywhere', async () => {
    const { id } = await createUser(api);
    const path = `/api/v1/users/${id}`;
    const { body: key } = await api.call<CreatedApiKey>('POST', `${path}/api-keys`, {
      as: id,
      body: { name: 'x', scopes: [] },
    });
    const headers = await loggedIn(id, RECENT_LOGIN_SECONDS + 5);

    expect((await api.call('DELETE', `${path}/api-keys/${key.id}`, { headers })).status).toBe(204);
    expect((await api.call('DELETE', `${path}/sessions`, { headers })).status).toBe(204);
  });

  it('is not asked of an API key, which its scopes are for', async () => {
    const { id } = await createUser(api);
    const path = `/api/v1/users/${id}`;
    const { body } = await api.call<CreatedApiKey>('POST', `${path}/api-keys`, {
      as: id,
      body: { name: 'x', scopes: ['users:read-private', 'users:delete'] },
    });
    const headers = { 'x-api-key': body.key };

    expect((await api.call('GET', `${path}/export`, { headers })).status).toBe(200);
    expect((await api.call('DELETE', path, { headers })).status).toBe(204);
  });
});
