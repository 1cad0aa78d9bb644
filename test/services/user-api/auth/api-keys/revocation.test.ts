import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiKeyList } from '../../../../../services/contracts/api-keys.ts';
import {
  createPasswordResetToken,
  hashPasswordResetToken,
} from '../../../../../services/contracts/password-reset-token.ts';
import type { ProblemDetails } from '../../../../../services/contracts/problem.ts';
import { untilTrue } from '../../../../support/eventually.ts';
import { describeWithRedis } from '../../../../support/redis.ts';
import { type AuthApi, createPerson, logIn, PASSWORD, type Person } from '../support/auth-api.ts';
import { erasePerson } from '../support/erase-person.ts';
import {
  comeIn,
  createKey,
  type KeyProcesses,
  me,
  pathOf,
  startKeyProcesses,
} from './support/key-processes.ts';

describeWithRedis('API keys that are not valid any more', (redis) => {
  let processes: KeyProcesses;
  let sql: Sql;
  let api: AuthApi;
  let other: AuthApi;
  let deaf: AuthApi;

  beforeAll(async () => {
    processes = await startKeyProcesses(redis().url);
    ({ sql, api, other, deaf } = processes);
  });
  afterAll(() => processes?.stop());

  it('end in every process when they are revoked, and can be revoked again', async () => {
    const { person, token } = await comeIn(processes);
    const { id, key } = (await createKey(api, person, token)).body;
    for (const each of [api, other, deaf]) expect(await me(each, key)).toBe(200);
    const revoke = () => api.call('DELETE', `${pathOf(person)}/${id}`, { token });

    expect((await revoke()).status).toBe(204);

    expect(await me(api, key)).toBe(401);
    await untilTrue(async () => (await me(other, key)) === 401);
    await untilTrue(async () => (await me(deaf, key)) === 401);
    expect((await revoke()).status).toBe(204);
    const listed = await api.call<ApiKeyList>('GET', pathOf(person), { token });
    expect(listed.body.data[0]?.revokedAt).toMatch(/Z$/);
  });

  it('end in time', async () => {
    const { person, token } = await comeIn(processes);
    const { id, key } = (await createKey(api, person, token)).body;
    await sql`update api_keys set expires_at = now() + interval '1500 milliseconds' where id = ${id}`;

    expect(await me(api, key)).toBe(200);
    await untilTrue(async () => (await me(api, key)) === 401);
    const again = await me(other, key);
    expect(again).toBe(401);
  });

  it("take the owner's role as it is, and never more than when they were made", async () => {
    const { person, token } = await comeIn(processes);
    const { key } = (await createKey(api, person, token)).body;
    const { accessToken: adminToken } = await logIn(
      api,
      await createPerson(api, sql, { role: 'admin' }),
    );
    const setRole = async (role: string) => {
      const path = `/api/v1/users/${person.id}/role`;
      const { status } = await api.call('PUT', path, { token: adminToken, body: { role } });
      expect(status).toBe(200);
    };
    const roleOf = async (on: AuthApi, apiKey: string) =>
      (await on.call<{ role: string }>('GET', '/api/v1/auth/me', { apiKey })).body.role;
    const isEverywhere = async (apiKey: string, role: string | undefined) => {
      for (const each of [api, other, deaf]) {
        await untilTrue(async () => (await roleOf(each, apiKey)) === role);
      }
    };

    await setRole('user');
    await isEverywhere(key, 'user');
    await setRole('admin');
    expect(await me(api, key)).toBe(401);
    await isEverywhere(key, undefined);
    const { accessToken } = await logIn(api, person);
    const { key: ofAdmin } = (await createKey(api, person, accessToken)).body;
    await setRole('admin');
    await isEverywhere(ofAdmin, 'admin');
    await setRole('user');
    await isEverywhere(ofAdmin, 'user');
    expect(await me(api, key)).toBe(401);
  });

  it('end with their owner: suspended or erased', async () => {
    const { person, token } = await comeIn(processes);
    const { key } = (await createKey(api, person, token)).body;
    expect(await me(other, key)).toBe(200);

    await sql`update users set status = 'suspended' where id = ${person.id}`;
    await api.authentication.sessionRevoker.endAll(person.id);
    expect(await me(api, key)).toBe(401);
    await untilTrue(async () => (await me(other, key)) === 401);

    const gone = await comeIn(processes);
    const ofGone = (await createKey(api, gone.person, gone.token)).body.key;
    expect(await me(other, ofGone)).toBe(200);
    await erasePerson(api, gone.person);
    await untilTrue(async () => (await me(other, ofGone)) === 401);
  });

  const takeovers = {
    'a change of password': (person: Person, keep: object) =>
      logIn(api, person).then(({ accessToken: token }) =>
        api.call('PUT', '/api/v1/auth/password', {
          token,
          body: { currentPassword: PASSWORD, newPassword: 'a password of another kind', ...keep },
        }),
      ),
    'a reset of the password': async (person: Person, keep: object) => {
      const secret = createPasswordResetToken();
      await sql`
        insert into password_resets (id, user_id, token_hash, expires_at)
        values (gen_random_uuid(), ${person.id}, ${hashPasswordResetToken(secret)}, now() + interval '1 minute')`;
      return await api.call('POST', '/api/v1/auth/password-resets/confirm', {
        body: { token: secret, newPassword: 'a password of another kind', ...keep },
      });
    },
    'a logout everywhere': async (person: Person, keep: object) =>
      await api.call(
        'DELETE',
        `/api/v1/users/${person.id}/sessions${'keepApiKeys' in keep ? '?keep_api_keys=true' : ''}`,
        { token: (await logIn(api, person)).accessToken },
      ),
  };
  it.each(Object.entries(takeovers))(
    'are revoked by %s, in every process, unless the owner keeps them; and those of nobody else',
    async (_what, take) => {
      const [mine, kept, theirs] = [
        await comeIn(processes),
        await comeIn(processes),
        await comeIn(processes),
      ];
      const keyOf = async ({ person, token }: typeof mine) =>
        (await createKey(api, person, token)).body.key;
      const [key, keptKey, theirKey] = [await keyOf(mine), await keyOf(kept), await keyOf(theirs)];
      for (const each of [api, other, deaf]) expect(await me(each, key)).toBe(200);

      expect((await take(mine.person, {})).status).toBeLessThan(300);
      expect((await take(kept.person, { keepApiKeys: true })).status).toBeLessThan(300);

      expect(await me(api, key)).toBe(401);
      for (const each of [other, deaf]) await untilTrue(async () => (await me(each, key)) === 401);
      for (const each of [api, other, deaf]) {
        expect([await me(each, keptKey), await me(each, theirKey)]).toEqual([200, 200]);
      }
      const rows = await sql`
        select user_id::int as user, revoked_at is null as valid from api_keys
        where user_id in (${mine.person.id}, ${kept.person.id}) order by id`;
      expect(rows).toEqual([
        { user: mine.person.id, valid: false },
        { user: kept.person.id, valid: true },
      ]);
    },
  );

  it('are not kept by what is neither true nor false', async () => {
    const { person, token } = await comeIn(processes);
    const { key } = (await createKey(api, person, token)).body;

    const response = await api.call<ProblemDetails>(
      'DELETE',
      `/api/v1/users/${person.id}/sessions?keep_api_keys=maybe`,
      { token },
    );

    expect(response.status).toBe(422);
    expect(response.body.errors).toEqual([
      { parameter: 'keep_api_keys', detail: 'must be true or false' },
    ]);
    expect(await me(api, key)).toBe(200);
  });
});
