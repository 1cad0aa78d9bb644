import { Redis } from 'ioredis';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreatedApiKey } from '../../../../services/contracts/api-keys.ts';
import type { Tokens } from '../../../../services/contracts/authentication.ts';
import type { Event } from '../../../../services/contracts/events.ts';
import type { User } from '../../../../services/contracts/users.ts';
import { RECENT_LOGIN_SECONDS } from '../../../../services/user-api/auth/permissions.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import {
  authorization,
  createUser,
  newUser,
  type ProblemDetails,
  startApiOnNewDatabase,
} from '../support/api.ts';
import { receiveEvents } from '../support/receive-events.ts';

const PASSWORD = 'a pass phrase of some length';
const LONG_AGO = 1_000 * (RECENT_LOGIN_SECONDS + 5);

describe('the email address of a user', () => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  let sql: Sql;

  beforeAll(async () => {
    api = await startApiOnNewDatabase({
      options: { dispatcher: { relayIntervalMilliseconds: 100 } },
    });
    sql = postgres(api.database.writerUrl, { max: 1 });
  });
  afterAll(async () => {
    await sql.end();
    await api.stop();
  });

  const pathOf = (id: number) => `/api/v1/users/${id}`;
  const patch = (id: number, headers: Readonly<Record<string, string>>, body: object) =>
    api.call<Omit<User, 'status'> & ProblemDetails>('PATCH', pathOf(id), { headers, body });
  const found = async (id: number) =>
    (await api.call<User>('GET', pathOf(id), { as: 'admin' })).body;
  const another = () => newUser().email;
  const changesOf = (id: number) =>
    sql<{ id: string; former: string }[]>`
      select id, former_email as former from email_changes where user_id = ${id}`;

  it('is changed by the person, and by an administrator, who logged in a short time ago', async () => {
    const user = await createUser(api);
    for (const who of [user.id, 'admin'] as const) {
      const email = another();
      const changed = await patch(user.id, { authorization: await authorization(who) }, { email });
      expect(changed.status).toBe(200);
      expect((await found(user.id)).email).toBe(email);
    }
  });

  it.each(['the person', 'an administrator'])(
    'is not changed by %s whose login is longer ago, who is told to log in again',
    async (who) => {
      const user = await createUser(api);
      const caller = who === 'the person' ? user.id : 'admin';
      const old = {
        authorization: await authorization(caller, undefined, Date.now() - LONG_AGO),
      };
      const { status, name, email } = user;
      const changes = { name: 'New', email: another() };

      for (const refused of [
        await patch(user.id, old, changes),
        await api.call<ProblemDetails>('PUT', pathOf(user.id), {
          headers: old,
          body: { ...changes, status },
        }),
        await patch(user.id, old, { email: email.toUpperCase() }),
      ]) {
        expect(refused.status).toBe(401);
        expect(refused.body.type).toBe('/problems/login-too-old');
        expect(refused.headers.get('www-authenticate')).toBe(
          'Bearer realm="headroom", error="insufficient_user_authentication", max_age="600"',
        );
      }
      expect(await found(user.id)).toMatchObject({ name, email, version: 1 });

      // What goes with the address as it is, is not a change of it.
      const put = await api.call<User>('PUT', pathOf(user.id), {
        headers: old,
        body: { name: 'New', email, status },
      });
      expect(put.body).toMatchObject({ name: 'New', email, version: 2 });
      expect((await patch(user.id, old, { name: 'Newer' })).status).toBe(200);
    },
  );

  it('that was there before, is notified of the change, and of no other', async () => {
    const user = await createUser(api);
    const path = pathOf(user.id);
    const [second, third] = [another(), another()];
    await api.call('PATCH', path, { as: user.id, body: { email: second } });
    await api.call('PATCH', path, { as: user.id, body: { email: second.toUpperCase() } });
    await api.call('PATCH', path, { as: user.id, body: { name: 'New' } });
    const refused = { as: user.id, body: { email: third }, headers: { 'if-match': '"v1"' } };
    expect((await api.call('PATCH', path, refused)).status).toBe(412);

    const changes = await changesOf(user.id);
    expect(changes).toEqual([{ id: expect.any(String), former: user.email }]);
    const tells = (event: Event) =>
      event.type === 'user.email-changed' && event.data.emailChangeId === changes[0]?.id;
    await receiveEvents(api.queueUrl, (received) => received.some(tells));
    const exported = await api.call('GET', `${path}/export`, { as: user.id });
    expect(exported.body).toMatchObject({
      emailChanges: [{ formerEmail: user.email, changedAt: expect.stringMatching(/Z$/) }],
    });

    await api.call('DELETE', path, { as: user.id });
    expect(await changesOf(user.id)).toEqual([]);
  });

  it('changed several times at once, is notified of each change of it', async () => {
    const user = await createUser(api);
    const wanted = [another(), another(), another(), another()];
    await Promise.all(
      wanted.map((email) => api.call('PATCH', pathOf(user.id), { as: user.id, body: { email } })),
    );

    const known = (await changesOf(user.id)).map(({ former }) => former);
    const now = (await found(user.id)).email;
    expect([...known, now].sort()).toEqual([user.email, ...wanted].sort());
  });

  it('is not changed by an API key, whoever has it and whatever its scopes', async () => {
    const user = await createUser(api);
    const administrator = await createUser(api);
    await api.call('PUT', `${pathOf(administrator.id)}/role`, {
      as: 'admin',
      body: { role: 'admin' },
    });
    for (const [owner, role] of [
      [user.id, 'user'],
      [administrator.id, 'admin'],
    ] as const) {
      const generation = role === 'admin' ? 1 : 0;
      const created = await api.call<CreatedApiKey>('POST', `${pathOf(owner)}/api-keys`, {
        headers: { authorization: await authorization(owner, role, Date.now(), generation) },
        body: { name: 'of a test', scopes: ['users:write', 'users:read-private'] },
      });
      expect(created.status, created.text).toBe(201);
      const headers = { 'x-api-key': created.body.key };

      const refused = await patch(user.id, headers, { email: another() });

      expect(refused.status).toBe(403);
      expect(refused.body.detail).toContain('API keys may not change email addresses');
      expect((await patch(user.id, headers, { name: role })).body).toMatchObject({ name: role });
    }
    expect((await found(user.id)).email).toBe(user.email);
  });
});

describeWithRedis('a session that has been renewed', (server) => {
  it('does not count as a login, however often it was', async () => {
    const api = await startApiOnNewDatabase({ redisUrl: server().url });
    const redis = new Redis(server().url);
    try {
      const fields = newUser({ password: PASSWORD });
      const { id } = (await api.call<User>('POST', '/api/v1/users', { body: fields })).body;
      const login = async () =>
        (
          await api.call<Tokens>('POST', '/api/v1/auth/login', {
            body: { email: fields.email, password: PASSWORD },
          })
        ).body;
      const change = async ({ accessToken }: Tokens) =>
        (
          await api.call('PATCH', `/api/v1/users/${id}`, {
            headers: { authorization: `Bearer ${accessToken}` },
            body: { email: newUser().email },
          })
        ).status;
      const refresh = async ({ refreshToken }: Tokens) =>
        (await api.call<Tokens>('POST', '/api/v1/auth/refresh', { body: { refreshToken } })).body;
      const first = await login();
      const key = `sessions:${id}`;
      const [sessionId = ''] = await redis.hkeys(key);
      const session = JSON.parse((await redis.hget(key, sessionId)) ?? '');
      await redis.hset(
        key,
        sessionId,
        JSON.stringify({ ...session, beganAt: session.beganAt - LONG_AGO / 1_000 }),
      );

      const second = await refresh(first);
      const third = await refresh(second);

      expect([await change(second), await change(third)]).toEqual([401, 401]);
      // The address in `fields` is still the one to log in with.
      expect(await change(await login())).toBe(200);
    } finally {
      redis.disconnect();
      await api.stop();
    }
  });
});
