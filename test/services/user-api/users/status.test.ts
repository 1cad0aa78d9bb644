import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CreatedApiKey } from '../../../../services/contracts/api-keys.ts';
import type { Tokens } from '../../../../services/contracts/authentication.ts';
import type { User } from '../../../../services/contracts/users.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { createUser, newUser, publicOf, startApiOnNewDatabase } from '../support/api.ts';

const PASSWORD = 'a pass phrase of some length';

describeWithRedis('the status of a user', (redis) => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;

  beforeAll(async () => {
    api = await startApiOnNewDatabase({ redisUrl: redis().url });
  });
  afterAll(async () => {
    await api.stop();
  });

  it("is an administrator's to write", async () => {
    const created = await createUser(api);
    const path = `/api/v1/users/${created.id}`;
    const { name, email } = created;
    const put = (status: string, as: 'admin' | number) =>
      api.call<User>('PUT', path, { as, body: { name: 'New', email, status } });
    const refused = await put('inactive', created.id);
    expect(refused.status).toBe(403);
    expect((await api.call('GET', path)).body).toEqual(publicOf({ ...created, name }));
    expect((await put('active', created.id)).body).toMatchObject({ name: 'New', version: 2 });
    expect((await put('suspended', 'admin')).body).toMatchObject({ status: 'suspended' });
    const { id: other } = await createUser(api);
    for (const as of [undefined, other]) {
      const response = await api.call('POST', '/api/v1/users', {
        body: newUser({ status: 'suspended' }),
        ...(as === undefined ? {} : { as }),
      });
      expect(response.status).toBe(as === undefined ? 401 : 403);
    }
  });

  it('of who is suspended ends the sessions with the change', async () => {
    const fields = newUser({ password: PASSWORD });
    const { body: user } = await api.call<User>('POST', '/api/v1/users', { body: fields });
    const login = () =>
      api.call<Tokens>('POST', '/api/v1/auth/login', {
        body: { email: fields.email, password: PASSWORD },
      });
    const { accessToken, refreshToken } = (await login()).body;
    const me = () =>
      api.call('GET', '/api/v1/auth/me', { headers: { authorization: `Bearer ${accessToken}` } });
    expect((await me()).status).toBe(200);
    await api.call('PATCH', `/api/v1/users/${user.id}`, {
      as: 'admin',
      body: { status: 'suspended' },
    });
    expect((await me()).status).toBe(401);
    const refreshed = await api.call('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
    expect(refreshed.status).toBe(401);
    expect((await login()).status).toBe(403);
  });

  it.each(['suspended', 'inactive'] as const)(
    'of who was %s and is active again makes the API keys good again at once',
    async (status) => {
      const { id } = await createUser(api);
      const path = `/api/v1/users/${id}`;
      const { key } = (
        await api.call<CreatedApiKey>('POST', `${path}/api-keys`, {
          as: id,
          body: { name: 'of a test', scopes: [] },
        })
      ).body;
      const me = async () =>
        (await api.call('GET', '/api/v1/auth/me', { headers: { 'x-api-key': key } })).status;
      const become = (next: string) =>
        api.call<User>('PATCH', path, { as: 'admin', body: { status: next } });

      expect(await me()).toBe(200);
      await become(status);
      expect(await me()).toBe(401);
      await become('active');
      expect(await me()).toBe(200);
    },
  );

  it('ends no session when it is written as it was', async () => {
    const { id } = await createUser(api);
    const response = await api.call('PATCH', `/api/v1/users/${id}`, {
      as: 'admin',
      body: { status: 'active' },
    });

    expect(response.status).toBe(200);
    expect((await api.call('GET', '/api/v1/auth/me', { as: id })).status).toBe(200);
  });
});
