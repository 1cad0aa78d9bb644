import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CreatedApiKey } from '../../../../services/contracts/api-keys.ts';
import type { Tokens } from '../../../../services/contracts/authentication.ts';
import { type PersonalData, personalData } from '../../../../services/contracts/personal-data.ts';
import type { User, UserPage } from '../../../../services/contracts/users.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { authorization, createUser, publicOf, startApiOnNewDatabase } from '../support/api.ts';

const PASSWORD = 'a pass phrase of some length';

describeWithRedis('personal data', (redis) => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  let sql: Sql;
  let store: Redis;

  beforeAll(async () => {
    api = await startApiOnNewDatabase({ redisUrl: redis().url });
    sql = postgres(api.database.writerUrl, { max: 1, onnotice: () => {} });
    store = new Redis(redis().url);
  });
  afterAll(async () => {
    store.disconnect();
    await sql.end();
    await api.stop();
  });

  async function keyOf(user: User, as: 'admin' | number, scopes: readonly string[]) {
    if (as === 'admin')
      await sql`
      insert into accounts (user_id, role) values (${user.id}, 'admin')
      on conflict (user_id) do update set role = 'admin'`;
    const { body, text, status } = await api.call<CreatedApiKey>(
      'POST',
      `/api/v1/users/${user.id}/api-keys`,
      { as: user.id, body: { name: 'test', scopes } },
    );
    expect(status, text).toBe(201);
    return { 'x-api-key': body.key };
  }

  it('is seen by the person, an administrator and keys with the scope, and by nobody else', async () => {
    const [person, other, administrator] = [
      await createUser(api),
      await createUser(api),
      await createUser(api),
    ];
    const seesIt: Record<string, Readonly<Record<string, string>>> = {
      'the person': { authorization: await authorization(person.id) },
      'an administrator': { authorization: await authorization('admin') },
      "the person's key with the scope": await keyOf(person, person.id, ['users:read-private']),
      "an administrator's key with the scope": await keyOf(administrator, 'admin', [
        'users:read-private',
      ]),
    };
    const seesNone: typeof seesIt = {
      nobody: {},
      'somebody else': { authorization: await authorization(other.id) },
      "the person's key without the scope": await keyOf(person, person.id, ['users:write']),
      "another user's key with the scope": await keyOf(other, other.id, ['users:read-private']),
      "an administrator's key without the scope": await keyOf(administrator, 'admin', []),
    };
    for (const [who, headers] of Object.entries(seesIt)) {
      const { body, headers: got } = await api.call('GET', `/api/v1/users/${person.id}`, {
        headers,
      });
      expect(body, who).toEqual(person);
      expect(got.get('etag')).toBe('"v1-private"');
      expect(got.get('cache-control')).toContain('private');
    }
    for (const [who, headers] of Object.entries(seesNone)) {
      const { body, headers: got } = await api.call('GET', `/api/v1/users/${person.id}`, {
        headers,
      });
      expect(body, who).toEqual(publicOf(person));
      expect(got.get('etag')).toBe('"v1"');
      expect(got.get('vary')).toContain('authorization');
    }
    const listed = async (headers: Readonly<Record<string, string>>) =>
      (await api.call<UserPage>('GET', '/api/v1/users?limit=100', { headers })).body.data.find(
        ({ id }) => id === person.id,
      );
    expect(await listed({ authorization: await authorization('admin') })).toEqual(person);
    for (const headers of Object.values(seesNone)) {
      expect(await listed(headers)).toEqual(publicOf(person));
    }
  });

  it('has a tag of its own, so that what everybody sees is not taken for it', async () => {
    const { id } = await createUser(api);
    const path = `/api/v1/users/${id}`;
    const ask = async (as: number | undefined, tag: string) =>
      (
        await api.call('GET', path, {
          headers: { 'if-none-match': tag },
          ...(as === undefined ? {} : { as }),
        })
      ).status;
    expect(await ask(undefined, '"v1"')).toBe(304);
    expect(await ask(id, '"v1"')).toBe(200);
    expect(await ask(id, '"v1-private"')).toBe(304);
    expect(await ask(undefined, '"v1-private"')).toBe(200);
    for (const tag of ['"v1"', '"v2-private"']) {
      const changed = await api.call('PATCH', path, {
        as: id,
        headers: { 'if-match': tag },
        body: { name: 'Other' },
      });
      expect(changed.status).toBe(200);
    }
  });

  /** A person of whom something is everywhere. */
  async function leaveTraces() {
    const secret = `Erasmus${randomUUID().slice(0, 8)}`;
    const fields = { name: secret, email: `${secret}@example.com`, password: PASSWORD };
    const idempotencyKey = randomUUID();
    const create = () =>
      api.call<User>('POST', '/api/v1/users', {
        headers: { 'idempotency-key': idempotencyKey },
        body: fields,
      });
    const { body: user, status, text } = await create();
    expect(status, text).toBe(201);
    const path = `/api/v1/users/${user.id}`;
    const { body: tokens } = await api.call<Tokens>('POST', '/api/v1/auth/login', {
      body: { email: fields.email, password: PASSWORD },
    });
    const bearer = { authorization: `Bearer ${tokens.accessToken}` };
    const { body: key } = await api.call<CreatedApiKey>('POST', `${path}/api-keys`, {
      headers: bearer,
      body: { name: `key of ${secret}`, scopes: [] },
    });
    await api.call('POST', '/api/v1/auth/password-resets', { body: { email: fields.email } });
    await api.call('POST', '/api/v1/auth/login', {
      body: { email: fields.email, password: 'not the right one' },
    });
    // Into the caches.
    for (let round = 0; round < 3; round += 1) {
      await api.call('GET', path);
      await api.call('GET', path, { headers: bearer });
      await api.call('GET', `/api/v1/users?name_prefix=${secret}`);
      await api.call('GET', '/api/v1/auth/me', { headers: { 'x-api-key': key.key } });
    }
    return { secret, user, path, tokens, bearer, key, create };
  }

  it('is exported whole to the person and to an administrator, without a hash, and that is recorded', async () => {
    const { bearer, key, path, user } = await leaveTraces();
    const { body, headers } = await api.call<PersonalData>('GET', `${path}/export`, {
      headers: bearer,
    });
    expect(personalData.parse(body)).toEqual(body);
    expect(headers.get('cache-control')).toBe('no-store');
    const { key: _, ...listedKey } = key;
    expect(body).toMatchObject({
      user,
      account: { role: 'user', hasPassword: true },
      sessions: [{}],
      apiKeys: [{ ...listedKey, lastUsedAt: body.apiKeys[0]?.lastUsedAt }],
      passwordResets: [{}],
      idempotentAnswers: [{ answer: user }],
      auditRecords: [{ action: 'user.exported', actor: 'self', actorId: user.id }],
    });
    expect(JSON.stringify(body)).not.toContain('$argon2');
    const again = await api.call<PersonalData>('GET', `${path}/export`, { as: 'admin' });
    expect(again.body.auditRecords.map(({ actor }) => actor)).toEqual(['self', 'admin']);
    expect((await api.call('GET', `${path}/export`)).status).toBe(401);
    const other = await createUser(api);
    expect((await api.call('GET', `${path}/export`, { as: other.id })).status).toBe(403);
    expect((await api.call('GET', '/api/v1/users/123456/export', { as: 'admin' })).status).toBe(
      404,
    );
  });

  it('is exported with the newest entries of each list, however often it is exported', async () => {
    const user = await createUser(api);
    await sql`
      insert into audit_records (action, subject_id, actor, actor_id, created_at)
      select 'user.exported', ${user.id}, 'self', ${user.id}, now() - make_interval(secs => 2000 - n)
      from generate_series(1, 1500) as n`;
    const now = Math.floor(Date.now() / 1_000);
    const later = { endsAt: now + 60, idleEndsAt: now + 60, rotatedAt: 1_000 * now };
    const sessions = Array.from({ length: 1_500 }, (_, age) => [
      `session-${age}`,
      JSON.stringify({ ...later, beganAt: now - age }),
    ]);
    await store.hset(`sessions:${user.id}`, Object.fromEntries(sessions));
    const { body, text } = await api.call<PersonalData>('GET', `/api/v1/users/${user.id}/export`, {
      as: 'admin',
    });
    expect(body.auditRecords).toHaveLength(1_000);
    expect(body.auditRecords.at(-1)?.actor).toBe('admin');
    expect(body.sessions).toHaveLength(1_000);
    expect(body.sessions.at(-1)?.id).toBe('session-0');
    expect(body.auditRecords.map(({ createdAt }) => createdAt)).toEqual(
      body.auditRecords.map(({ createdAt }) => createdAt).toSorted(),
    );
    expect(text.length).toBeLessThan(350_000);
  });

  /** Every row of every table that has the text in it, whatever the column. */
  async function rowsWith(text: string): Promise<string[]> {
    const tables = await sql<{ name: string }[]>`
      select relname as name from pg_stat_user_tables where schemaname = 'public'`;
    expect(tables.length).toBeGreaterThan(7);
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await sql`
        select 1 from ${sql(name)} as held where held::text ilike ${`%${text}%`}`;
      if (rows.length > 0) found.push(name);
    }
    return found;
  }

  async function keysWith(text: string): Promise<string[]> {
    const keys = await store.keys('*');
    const found = await Promise.all(
      keys.map(async (key) => {
        const kind = await store.type(key);
        const value =
          kind === 'hash'
            ? JSON.stringify(await store.hgetall(key))
            : kind === 'string'
              ? ((await store.get(key)) ?? '')
              : JSON.stringify(await store.lrange(key, 0, -1));
        return `${key} ${value}`.toLowerCase().includes(text.toLowerCase()) ? [key] : [];
      }),
    );
    return found.flat();
  }

  it('is erased everywhere with its user, and what remains is a record without any', async () => {
    const traces = await leaveTraces();
    const { bearer, create, key, path, secret, tokens, user } = traces;
    expect((await rowsWith(secret)).sort()).toEqual(['api_keys', 'idempotency_keys', 'users']);
    expect(await keysWith(secret)).toEqual([`user:${user.id}`]);
    expect(await store.exists(`sessions:${user.id}`)).toBe(1);

    expect((await api.call('DELETE', path, { headers: bearer })).status).toBe(204);

    expect(await rowsWith(secret)).toEqual([]);
    expect(await keysWith(secret)).toEqual([]);
    expect(await store.exists(`sessions:${user.id}`)).toBe(0);
    for (const table of ['accounts', 'api_keys', 'password_resets', 'email_changes']) {
      expect(await sql`select from ${sql(table)} where user_id = ${user.id}`).toHaveLength(0);
    }
    expect((await api.call('GET', path)).status).toBe(404);
    // Lists come from a reader, which hears of it a moment later.
    await expect
      .poll(async () => {
        const list = await api.call<UserPage>('GET', `/api/v1/users?name_prefix=${secret}`);
        return list.body.data;
      })
      .toEqual([]);
    for (const headers of [bearer, { 'x-api-key': key.key }]) {
      expect((await api.call('GET', '/api/v1/auth/me', { headers })).status).toBe(401);
    }
    const { refreshToken } = tokens;
    const refreshed = await api.call('POST', '/api/v1/auth/refresh', { body: { refreshToken } });
    expect(refreshed.status).toBe(401);
    const repeated = await create();
    expect(repeated.status).toBe(410);
    expect(repeated.text).toContain('/problems/idempotent-answer-erased');
    expect(
      await sql`
        select action, subject_id::int as subject, actor, actor_id::int as by from audit_records
        where subject_id = ${user.id}`,
    ).toEqual([{ action: 'user.deleted', subject: user.id, actor: 'self', by: user.id }]);
  });

  it('is in no line of the log, whatever was asked', async () => {
    const { secret, tokens, key } = await leaveTraces();
    await api.call('GET', `/api/v1/users?cursor=${secret}`);
    await api.call('GET', `/${secret}?name=${secret}`);
    await api.call('POST', '/api/v1/users', { body: { name: secret, email: `${secret}@x` } });
    await eventually(() => expect(JSON.stringify(api.log)).toContain('"status":422'));
    const log = JSON.stringify(api.log);
    for (const text of [secret, PASSWORD, tokens.accessToken, tokens.refreshToken ?? '', key.key]) {
      expect(log.toLowerCase()).not.toContain(text.toLowerCase());
    }
  });
});
