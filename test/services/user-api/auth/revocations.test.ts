import { Redis } from 'ioredis';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Tokens } from '../../../../services/contracts/authentication.ts';
import { createSigningKeySet } from '../../../../services/user-api/auth/tokens/key-rotation.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { untilTrue } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import {
  type AuthApi,
  connect,
  createPerson,
  logIn,
  type Person,
  startAuthApi,
} from './support/auth-api.ts';
import { erasePerson } from './support/erase-person.ts';

const me = async (api: AuthApi, token: string) =>
  (await api.call('GET', '/api/v1/auth/me', { token })).status;
const refresh = (api: AuthApi, refreshToken: string) =>
  api.call<Tokens>('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
const logout = async (api: AuthApi, refreshToken: string) =>
  (await api.call('POST', '/api/v1/auth/logout', { body: { refreshToken } })).status;

describeWithRedis('ending sessions', (redis) => {
  let database: TestDatabase;
  let sql: Sql;
  /** Two processes of one service. The second one asks the database so rarely that only Redis can bring it word. */
  let api: AuthApi;
  let other: AuthApi;
  /** One that Redis tells nothing, so that only the database can. */
  let deaf: AuthApi;
  let keys: string;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = connect(database);
    keys = JSON.stringify(await createSigningKeySet());
    const redisUrl = redis().url;
    api = await startAuthApi({ database, redisUrl, keys });
    other = await startAuthApi({
      database,
      redisUrl,
      keys,
      options: { revocationPollSeconds: 3_600 },
    });
    deaf = await startAuthApi({ database, keys, options: { revocationPollSeconds: 0.2 } });
  });
  afterAll(async () => {
    for (const each of [api, other, deaf]) await each?.stop();
    await sql?.end();
    await database?.drop();
  });

  /** Somebody whose token all processes have found good, so that they have it in memory. */
  async function comeIn(): Promise<{ person: Person } & Awaited<ReturnType<typeof logIn>>> {
    const person = await createPerson(api, sql);
    const tokens = await logIn(api, person);
    for (const each of [api, other, deaf]) expect(await me(each, tokens.accessToken)).toBe(200);
    return { person, ...tokens };
  }

  it('logs out one session, with its access tokens, in every process', async () => {
    const { person, accessToken, refreshToken } = await comeIn();
    const elsewhere = await logIn(api, person);

    expect(await logout(api, refreshToken)).toBe(204);

    expect(await me(api, accessToken)).toBe(401);
    await untilTrue(async () => (await me(other, accessToken)) === 401);
    await untilTrue(async () => (await me(deaf, accessToken)) === 401);
    expect((await refresh(other, refreshToken)).status).toBe(401);
    expect(await me(api, elsewhere.accessToken)).toBe(200);
    expect(await logout(api, refreshToken)).toBe(204);
    expect(await logout(api, 'no refresh token')).toBe(204);
  });

  it('logs out everywhere, and lets the same person come in again at once', async () => {
    const { person, accessToken, refreshToken } = await comeIn();
    const elsewhere = await logIn(other, person);

    const response = await api.call('DELETE', `/api/v1/users/${person.id}/sessions`, {
      token: elsewhere.accessToken,
    });
    const again = await logIn(api, person);

    expect(response.status).toBe(204);
    for (const token of [accessToken, elsewhere.accessToken]) {
      expect(await me(api, token)).toBe(401);
      await untilTrue(async () => (await me(other, token)) === 401);
      await untilTrue(async () => (await me(deaf, token)) === 401);
    }
    for (const token of [refreshToken, elsewhere.refreshToken]) {
      expect((await refresh(api, token)).status).toBe(401);
    }
    for (const each of [api, other, deaf]) expect(await me(each, again.accessToken)).toBe(200);
    expect((await refresh(api, again.refreshToken)).status).toBe(200);
  });

  it('ends the session of a refresh token that comes a second time after the next one was used', async () => {
    const { person, accessToken, refreshToken } = await comeIn();
    const second = (await refresh(api, refreshToken)).body;
    const third = (await refresh(other, second.refreshToken ?? '')).body;

    const stolen = await refresh(api, refreshToken);

    expect(stolen.status).toBe(401);
    expect(stolen.body).toMatchObject({
      type: '/problems/invalid-refresh-token',
      detail: 'The refresh token is not good, or not any more.',
    });
    expect((await refresh(api, third.refreshToken ?? '')).status).toBe(401);
    for (const token of [accessToken, second.accessToken, third.accessToken]) {
      expect(await me(api, token)).toBe(401);
      await untilTrue(async () => (await me(other, token)) === 401);
    }
    expect(api.log).toContainEqual(
      expect.objectContaining({
        message: 'Refresh token reused: session ended',
        userId: person.id,
        sessionId: expect.stringMatching(/^[\w-]{22}$/),
      }),
    );
  });

  it('gives both of two tabs that refresh at once good tokens, and goes on', async () => {
    const { refreshToken } = await comeIn();

    const tabs = await Promise.all([refresh(api, refreshToken), refresh(other, refreshToken)]);

    expect(tabs.map(({ status }) => status)).toEqual([200, 200]);
    expect(tabs[0]?.body.refreshToken).toBe(tabs[1]?.body.refreshToken);
    for (const { body } of tabs) expect(await me(deaf, body.accessToken)).toBe(200);
    expect((await refresh(api, tabs[0]?.body.refreshToken ?? '')).status).toBe(200);
  });

  it('refuses the next refresh of somebody who was suspended, and takes the session away', async () => {
    const { person, accessToken, refreshToken } = await comeIn();
    await sql`update users set status = 'suspended' where id = ${person.id}`;
    await api.authentication.sessionRevoker.endAll(person.id);

    expect((await refresh(other, refreshToken)).status).toBe(401);
    await untilTrue(async () => (await me(other, accessToken)) === 401);
    await sql`update users set status = 'active' where id = ${person.id}`;
    expect((await refresh(other, refreshToken)).status).toBe(401);
  });

  it('leaves nothing of an erased user: no session, no good token, in no process', async () => {
    const { person, accessToken, refreshToken } = await comeIn();
    await erasePerson(api, person);

    expect(await me(api, accessToken)).toBe(401);
    await untilTrue(async () => (await me(other, accessToken)) === 401);
    await untilTrue(async () => (await me(deaf, accessToken)) === 401);
    expect((await refresh(api, refreshToken)).status).toBe(401);
    const client = new Redis(redis().url);
    expect(await client.exists(`sessions:${person.id}`)).toBe(0);
    client.disconnect();
    expect(await sql`select from accounts where user_id = ${person.id}`).toHaveLength(0);
  });

  it('finds nobody whose sessions to end, or to describe, when there is no such user', async () => {
    const admin = await logIn(api, await createPerson(api, sql, { role: 'admin' }));
    const { person, accessToken } = await comeIn();
    await sql`delete from users where id = ${person.id}`;

    for (const id of [person.id, 'x']) {
      const ended = await api.call('DELETE', `/api/v1/users/${id}/sessions`, {
        token: admin.accessToken,
      });
      expect(ended.status).toBe(404);
      expect(ended.body).toMatchObject({ type: '/problems/user-not-found' });
      const role = { token: admin.accessToken, body: { role: 'admin' } };
      expect((await api.call('PUT', `/api/v1/users/${id}/role`, role)).status).toBe(404);
    }
    expect(await me(api, accessToken)).toBe(404);
  });

  it('is known to a process that starts later, before its first request', async () => {
    const { person, accessToken } = await comeIn();
    const stays = await comeIn();
    await api.authentication.sessionRevoker.endAll(person.id);

    const late = await startAuthApi({ database, keys });
    try {
      expect(await me(late, accessToken)).toBe(401);
      expect(await me(late, stays.accessToken)).toBe(200);
    } finally {
      await late.stop();
    }
  });
});

describeWithRedis('sessions while Redis is away', (redis) => {
  it('lets people in and go on, cannot renew, ends all sessions on demand, and renews when it is back', async () => {
    await using stack = new AsyncDisposableStack();
    const database = await createMigratedDatabase();
    stack.defer(() => database.drop());
    const sql = connect(database);
    stack.defer(() => sql.end());
    const api = await startAuthApi({ database, redisUrl: redis().url });
    stack.defer(() => api.stop());
    const person = await createPerson(api, sql);
    const before = await logIn(api, person);
    await redis().stop();

    const login = await api.login(person.email);
    const refreshed = await refresh(api, before.refreshToken);

    expect(login.status).toBe(200);
    expect(login.body.refreshToken).toBeUndefined();
    expect(await me(api, login.body.accessToken)).toBe(200);
    expect(await me(api, before.accessToken)).toBe(200);
    expect(refreshed.status).toBe(503);
    expect(refreshed.headers.get('retry-after')).toBe('1');
    expect(refreshed.body).toMatchObject({ type: '/problems/sessions-unavailable' });
    expect(await logout(api, before.refreshToken)).toBe(503);

    const ended = await api.call('DELETE', `/api/v1/users/${person.id}/sessions`, {
      token: login.body.accessToken,
    });
    expect(ended.status).toBe(204);
    expect(await me(api, before.accessToken)).toBe(401);
    expect(await me(api, login.body.accessToken)).toBe(401);

    await redis().start();
    await untilTrue(async () => (await api.login(person.email)).body.refreshToken !== undefined);
    const after = await logIn(api, person);
    expect((await refresh(api, after.refreshToken)).status).toBe(200);
  });
});
