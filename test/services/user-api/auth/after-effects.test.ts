import { Redis } from 'ioredis';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import type { CreatedApiKey } from '../../../../services/contracts/api-keys.ts';
import { AccountRepository } from '../../../../services/user-api/auth/accounts/account-repository.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import {
  type AuthApi,
  connect,
  createPerson,
  logIn,
  PASSWORD,
  type Person,
  startAuthApi,
} from './support/auth-api.ts';

const WRONG = 'not the password of anybody';
const NEW_PASSWORD = 'seventeen green elephants';

describeWithRedis('what an action on an account leaves behind', (redis) => {
  let database: TestDatabase;
  let sql: Sql;
  let api: AuthApi;
  let store: Redis;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = connect(database);
    store = new Redis(redis().url);
    api = await startAuthApi({ database, redisUrl: redis().url });
  });
  afterAll(async () => {
    store?.disconnect();
    await api?.stop();
    await sql?.end();
    await database?.drop();
  });

  const change = (token: string, currentPassword: string, newPassword: string) =>
    api.call('PUT', '/api/v1/auth/password', { token, body: { currentPassword, newPassword } });
  const fail = async (person: Person, times: number) => {
    for (let time = 0; time < times; time += 1) {
      expect((await api.login(person.email, WRONG)).status).toBe(401);
    }
  };

  it('a login forgets the failures before it', async () => {
    const person = await createPerson(api, sql);

    for (let round = 0; round < 3; round += 1) {
      await fail(person, 4);
      expect((await api.login(person.email)).status).toBe(200);
    }
  });

  it('a change of the password forgets them, too', async () => {
    const person = await createPerson(api, sql);
    const { accessToken } = await logIn(api, person);

    await fail(person, 4);
    expect((await change(accessToken, PASSWORD, NEW_PASSWORD)).status).toBe(200);
    await fail(person, 4);

    expect((await api.login(person.email, NEW_PASSWORD)).status).toBe(200);
  });

  it('a role, a new password and a logout everywhere remove the sessions from Redis', async () => {
    const admin = await createPerson(api, sql, { role: 'admin' });
    const { accessToken: adminToken } = await logIn(api, admin);
    const person = await createPerson(api, sql);
    const stored = () => store.hlen(`sessions:${person.id}`);
    const comeIn = async () => {
      const { accessToken } = await logIn(api, person);
      expect(await stored()).toBeGreaterThan(0);
      return accessToken;
    };

    await comeIn();
    const path = `/api/v1/users/${person.id}`;
    await api.call('PUT', `${path}/role`, { token: adminToken, body: { role: 'admin' } });
    expect(await stored()).toBe(0);
    await api.call('DELETE', `${path}/sessions`, { token: await comeIn() });
    expect(await stored()).toBe(0);
    await comeIn();
    expect((await change(await comeIn(), PASSWORD, NEW_PASSWORD)).status).toBe(200);
    // The new session of the one who changed it.
    expect(await stored()).toBe(1);
  });

  it('the only active administrator stays one, with the session', async () => {
    const admin = await createPerson(api, sql, { role: 'admin' });
    const { accessToken: token } = await logIn(api, admin);
    await sql`update accounts set role = 'user' where user_id <> ${admin.id}`;

    const path = `/api/v1/users/${admin.id}/role`;
    const response = await api.call('PUT', path, { token, body: { role: 'user' } });

    expect(response.status).toBe(409);
    expect(response.body).toMatchObject({
      type: '/problems/last-admin',
      detail: 'This user is the only active administrator.',
    });
    const same = await api.call('PUT', path, { token, body: { role: 'admin' } });
    expect(same.body).toEqual({ userId: admin.id, role: 'admin' });
    expect((await api.call('GET', '/api/v1/auth/me', { token })).status).toBe(200);
    expect(await store.hlen(`sessions:${admin.id}`)).toBe(1);
    expect(api.log).not.toContainEqual(
      expect.objectContaining({ message: 'Role changed', userId: admin.id }),
    );
  });

  it('a mistake in a query is not asked of a reader again', async () => {
    const asked = vi.spyOn(api.router, 'readNewest').mockRejectedValueOnce(new TypeError('a bug'));
    onTestFinished(() => asked.mockRestore());

    await expect(new AccountRepository(api.router).find(1)).rejects.toBeInstanceOf(TypeError);
  });

  it('an outdated hash is not replaced after the password has been changed', async () => {
    const person = await createPerson(api, sql);
    const accounts = new AccountRepository(api.router);
    const before = (await accounts.find(person.id))?.passwordHash ?? '';
    await change((await logIn(api, person)).accessToken, PASSWORD, NEW_PASSWORD);

    await accounts.replaceOutdatedHash(
      person.id,
      before,
      await api.authentication.hasher.hash(PASSWORD),
    );

    expect((await api.login(person.email, NEW_PASSWORD)).status).toBe(200);
    expect((await api.login(person.email)).status).toBe(401);
  });

  it('the log says who did what to whom, and no response may be kept', async () => {
    const admin = await createPerson(api, sql, { role: 'admin' });
    const { accessToken: adminToken } = await logIn(api, admin);
    const person = await createPerson(api, sql);
    const { accessToken: token } = await logIn(api, person);
    const path = `/api/v1/users/${person.id}`;
    const before = api.log.length;

    const created = await api.call<CreatedApiKey>('POST', `${path}/api-keys`, {
      token,
      body: { name: 'x', scopes: ['users:write'] },
    });
    const { id: apiKeyId } = created.body;
    await api.call('POST', `${path}/api-keys`, { token, body: { name: 'y', scopes: [] } });
    const revoked = await api.call('DELETE', `${path}/api-keys/${apiKeyId}`, { token: adminToken });
    const changed = await change(token, PASSWORD, NEW_PASSWORD);
    const role = await api.call('PUT', `${path}/role`, {
      token: adminToken,
      body: { role: 'admin' },
    });
    const ended = await api.call('DELETE', `${path}/sessions`, { token: adminToken });

    const userId = person.id;
    const written = api.log.slice(before);
    for (const line of [
      { message: 'API key created', userId, apiKeyId, scopes: ['users:write'] },
      { message: 'API key revoked', userId, apiKeyId, by: admin.id },
      { message: 'Password changed', userId, revokedApiKeys: 1 },
      { message: 'Role changed', userId, role: 'admin', by: admin.id },
      { message: 'All sessions ended', userId, revokedApiKeys: 0 },
    ]) {
      expect(written).toContainEqual(expect.objectContaining(line));
    }
    for (const { headers } of [created, revoked, changed, role, ended]) {
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });
});
