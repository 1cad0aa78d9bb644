import type { Sql, TransactionSql } from 'postgres';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import {
  API_KEYS_MAXIMUM_PER_USER,
  type ApiKey,
  type ApiKeyList,
} from '../../../../../services/contracts/api-keys.ts';
import type { ProblemDetails } from '../../../../../services/contracts/problem.ts';
import { ApiKeyRepository } from '../../../../../services/user-api/auth/api-keys/api-key-repository.ts';
import {
  apiKeyHash,
  apiKeyPrefix,
  createApiKeyText,
  isApiKeyText,
} from '../../../../../services/user-api/auth/api-keys/api-key-text.ts';
import { untilTrue } from '../../../../support/eventually.ts';
import { describeWithRedis } from '../../../../support/redis.ts';
import type { AuthApi, Person } from '../support/auth-api.ts';
import {
  comeIn,
  createKey,
  type KeyProcesses,
  me,
  pathOf,
  startKeyProcesses,
} from './support/key-processes.ts';

describeWithRedis('API keys', (redis) => {
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

  it('are told once, and are good at once in every process, behind a replica too', async () => {
    const { person, token } = await comeIn(processes);

    const created = await createKey(api, person, token);
    const { key, ...rest } = created.body;
    const listed = await api.call<ApiKeyList>('GET', pathOf(person), { token });
    const usable = await Promise.all([api, other, deaf].map((each) => me(each, key)));

    expect(created.status).toBe(201);
    expect(created.headers.get('cache-control')).toBe('no-store');
    expect(isApiKeyText(key)).toBe(true);
    expect(rest).toEqual({
      id: expect.any(Number),
      name: 'nightly export',
      prefix: apiKeyPrefix(key),
      scopes: ['users:read-private'],
      createdAt: expect.stringMatching(/Z$/),
      expiresAt: expect.stringMatching(/Z$/),
      lastUsedAt: null,
      revokedAt: null,
    });
    const days = (Date.parse(rest.expiresAt) - Date.parse(rest.createdAt)) / 86_400_000;
    expect(days).toBeCloseTo(90, 0);
    expect(usable).toEqual([200, 200, 200]);
    expect(listed.body.data).toEqual([rest]);
    expect(listed.text).not.toContain(key);
  });

  it('are stored as a hash alone', async () => {
    const { person, token } = await comeIn(processes);
    const { key } = (await createKey(api, person, token)).body;

    const [row] = await sql`select * from api_keys where user_id = ${person.id}`;

    expect(row?.key_hash).toBe(apiKeyHash(key));
    expect(JSON.stringify(row)).not.toContain(key.slice(apiKeyPrefix(key).length));
    expect(JSON.stringify(api.log)).not.toContain(key);
  });

  it('say who they act for and with which scopes', async () => {
    const { person, token } = await comeIn(processes);
    const { key } = (await createKey(api, person, token, { scopes: ['users:write'] })).body;

    const response = await api.call('GET', '/api/v1/auth/me', { apiKey: key });

    expect(response.body).toMatchObject({
      user: { id: person.id },
      role: 'user',
      credential: 'api-key',
      scopes: ['users:write'],
    });
  });

  it('have their last use written after a while, by whichever process saw it, and not with each', async () => {
    const { person, token } = await comeIn(processes);
    const { id, key } = (await createKey(api, person, token)).body;
    const lastUse = async () =>
      (await sql`select last_used_at from api_keys where id = ${id}`)[0]
        ?.last_used_at as Date | null;
    await Promise.all(Array.from({ length: 20 }, () => me(other, key)));
    await untilTrue(async () => (await lastUse()) !== null);
    const first = await lastUse();
    const [before] = await sql`select xmin::text from api_keys where id = ${id}`;

    for (let times = 0; times < 5; times += 1) {
      await me(other, key);
      await new Promise((resolve) => setTimeout(resolve, 120));
    }

    const [after] = await sql`select xmin::text from api_keys where id = ${id}`;
    expect(after?.xmin).toBe(before?.xmin);
    expect(Math.abs((first?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('are asked of the writer where that is asked for', async () => {
    const [newest, read] = [vi.spyOn(other.router, 'readNewest'), vi.spyOn(other.router, 'read')];
    onTestFinished(() => {
      newest.mockRestore();
      read.mockRestore();
    });
    const repository = new ApiKeyRepository(other.router);

    expect(await repository.findGrant('no hash', 'reader')).toBeNull();
    expect([newest.mock.calls.length, read.mock.calls.length]).toEqual([0, 1]);
    expect(await repository.findGrant('no hash', 'writer')).toBeNull();
    expect(newest.mock.calls.length).toBe(1);
  });

  it.each([
    ['without a name', { name: '' }, '/name'],
    ['with a name of two lines', { name: 'a\nb' }, '/name'],
    ['with a name that is too long', { name: 'x'.repeat(101) }, '/name'],
    ['with a scope that there is not', { scopes: ['users:everything'] }, '/scopes/0'],
    ['with a scope twice', { scopes: ['users:write', 'users:write'] }, '/scopes'],
    ['for ever', { expiresInDays: 100_000 }, '/expiresInDays'],
    ['for no time', { expiresInDays: 0 }, '/expiresInDays'],
    ['with a field that is not taken', { userId: 1 }, '/userId'],
  ])('are not made %s', async (_what, fields, pointer) => {
    const { person, token } = await comeIn(processes);

    const response = await createKey(api, person, token, fields);

    expect(response.status).toBe(422);
    expect(response.body.errors?.map((error) => error.pointer)).toContain(pointer);
  });

  const fill = (on: Sql | TransactionSql, person: Person, count: number) => on`
    insert into api_keys (user_id, name, prefix, key_hash, scopes, expires_at)
    select ${person.id}, 'filler', 'hrk_x', gen_random_uuid()::text, '{}', now() + interval '1 day'
    from generate_series(1, ${count})
  `;

  it('are fifty for a user at most, until one is revoked', async () => {
    const { person, token } = await comeIn(processes);
    await fill(sql, person, API_KEYS_MAXIMUM_PER_USER - 2);

    const responses = await Promise.all(
      Array.from({ length: 6 }, () => createKey(api, person, token)),
    );
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, 201, 409, 409, 409, 409]);
    expect(responses.find(({ status }) => status === 409)?.body).toMatchObject({
      type: '/problems/too-many-api-keys',
      detail: 'A user may have 50 API keys.',
    });

    const listed = await api.call<ApiKeyList>('GET', pathOf(person), { token });
    await api.call('DELETE', `${pathOf(person)}/${listed.body.data[0]?.id}`, { token });
    expect((await createKey(api, person, token)).status).toBe(201);
  });

  it('leave an event for the email to their owner, each one, and none when one is refused', async () => {
    const { person, token } = await comeIn(processes);
    await fill(sql, person, API_KEYS_MAXIMUM_PER_USER - 1);

    const { id } = (await createKey(api, person, token)).body;
    expect((await createKey(api, person, token)).status).toBe(409);

    const events = await sql`
      select type, data, traceparent, available_at <= now() as due from outbox
      where type = 'user.api-key-created' and (data ->> 'apiKeyId')::bigint >= ${id}`;
    expect(events).toEqual([
      { type: 'user.api-key-created', data: { apiKeyId: id }, traceparent: null, due: true },
    ]);
  });

  it('are counted with those that another transaction is just making', async () => {
    const { person, token } = await comeIn(processes);
    await fill(sql, person, API_KEYS_MAXIMUM_PER_USER - 1);
    let response: ReturnType<typeof createKey> | undefined;
    await sql.begin(async (transaction) => {
      await transaction`select from users where id = ${person.id} for no key update`;
      await fill(transaction, person, 1);
      response = createKey(api, person, token);
      // Time for the request to come to the lock, or past where it should be.
      await new Promise((resolve) => setTimeout(resolve, 300));
    });

    expect((await response)?.status).toBe(409);
  });

  it("of another user cannot be revoked through one's own path", async () => {
    const [mine, theirs] = [await comeIn(processes), await comeIn(processes)];
    const { id, key } = (await createKey(api, theirs.person, theirs.token)).body;

    const response = await api.call('DELETE', `${pathOf(mine.person)}/${id}`, {
      token: mine.token,
    });

    expect(response.status).toBe(404);
    expect(response.body).toMatchObject({
      type: '/problems/api-key-not-found',
      detail: 'The user has no API key with this id.',
    });
    expect(await me(api, key)).toBe(200);
    const none = await api.call('DELETE', `${pathOf(mine.person)}/x`, { token: mine.token });
    expect(none.body).toMatchObject({ type: '/problems/api-key-not-found', detail: 'Not an id.' });
  });

  it.each([
    ['a prefix alone', 'hrk_'],
    ['anything', 'x'],
    ['well made, but nobody has it', createApiKeyText()],
    ['too long', `${createApiKeyText()}x`],
    ['in small letters', createApiKeyText().toLowerCase()],
  ])('that are not one are refused: %s', async (_what, apiKey) => {
    const response = await api.call<ProblemDetails>('GET', '/api/v1/users', { apiKey });

    expect(response.status).toBe(401);
    expect(response.body.type).toBe('/problems/invalid-api-key');
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="headroom"');
  });

  it('are refused beside an access token, as nobody can tell which is meant', async () => {
    const { person, token } = await comeIn(processes);
    const { key } = (await createKey(api, person, token)).body;

    const response = await api.call<ProblemDetails>('GET', '/api/v1/users', { token, apiKey: key });

    expect(response.status).toBe(401);
    expect(response.body.detail).toContain('both');
  });

  it('are listed with the good ones first and no more than 200', async () => {
    const { person, token } = await comeIn(processes);
    const { body } = await createKey(api, person, token);
    await sql`
      insert into api_keys (user_id, name, prefix, key_hash, scopes, expires_at, revoked_at)
      select ${person.id}, 'old', 'hrk_x', gen_random_uuid()::text, '{}', now() + interval '1 day',
        now() - case when n % 2 = 0 then interval '1 day' else interval '31 days' end
      from generate_series(1, 500) as n
    `;

    const { data } = (await api.call<ApiKeyList>('GET', pathOf(person), { token })).body;

    expect(data).toHaveLength(200);
    expect(data[0]?.id).toBe(body.id);
    const monthAgo = Date.now() - 30 * 86_400_000;
    expect(data.slice(1).every((key: ApiKey) => Date.parse(key.revokedAt ?? '') > monthAgo)).toBe(
      true,
    );
  });
});
