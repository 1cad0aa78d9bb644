import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Tokens } from '../../../../services/contracts/authentication.ts';
import {
  createPasswordResetToken,
  hashPasswordResetToken,
} from '../../../../services/contracts/password-reset-token.ts';
import type { ProblemDetails } from '../../../../services/contracts/problem.ts';
import { EVENT_SOURCE } from '../../../../services/user-api/queue/outbox.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { untilTrue } from '../../../support/eventually.ts';
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

const NEW_PASSWORD = 'seventeen green elephants';

describeWithRedis('passwords', (redis) => {
  let database: TestDatabase;
  let sql: Sql;
  let api: AuthApi;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = connect(database);
    api = await startAuthApi({ database, redisUrl: redis().url });
  });
  afterAll(async () => {
    await api?.stop();
    await sql?.end();
    await database?.drop();
  });

  const change = (token: string, currentPassword: string, newPassword: string) =>
    api.call<Tokens & ProblemDetails>('PUT', '/api/v1/auth/password', {
      token,
      body: { currentPassword, newPassword },
    });
  const me = async (token: string) => (await api.call('GET', '/api/v1/auth/me', { token })).status;
  const refresh = async (refreshToken: string) =>
    (await api.call('POST', '/api/v1/auth/refresh', { body: { refreshToken } })).status;
  const requestReset = (email: string) =>
    api.call('POST', '/api/v1/auth/password-resets', { body: { email } });
  const reset = (token: string, newPassword: string, keepApiKeys?: boolean) =>
    api.call<ProblemDetails>('POST', '/api/v1/auth/password-resets/confirm', {
      body: { token, newPassword, ...(keepApiKeys === undefined ? {} : { keepApiKeys }) },
    });

  /** What the email worker does when it sends the link. @returns the secret, or null where nobody is to get an email. */
  async function sendLink(passwordResetId: string): Promise<string | null> {
    const token = createPasswordResetToken();
    const sent = await sql`
      update password_resets
      set token_hash = ${hashPasswordResetToken(token)}, expires_at = now() + interval '30 minutes'
      where id = ${passwordResetId} and user_id is not null
      returning id
    `;
    return sent.length === 0 ? null : token;
  }

  /** A secret, as its owner gets it by email. */
  async function receiveLink(person: Person): Promise<string> {
    expect((await requestReset(person.email)).status).toBe(202);
    const token = await sendLink(api.dispatched.at(-1)?.data.passwordResetId ?? '');
    if (token === null) throw new Error('No link was sent');
    return token;
  }

  it('are changed by who knows the one before, which ends all sessions but a new one', async () => {
    const person = await createPerson(api, sql);
    const [here, elsewhere] = [await logIn(api, person), await logIn(api, person)];

    const changed = await change(here.accessToken, PASSWORD, NEW_PASSWORD);
    expect(changed.status).toBe(200);
    expect(await me(changed.body.accessToken)).toBe(200);
    for (const { accessToken, refreshToken } of [here, elsewhere]) {
      expect(await me(accessToken)).toBe(401);
      expect(await refresh(refreshToken)).toBe(401);
    }
    expect(await refresh(changed.body.refreshToken ?? '')).toBe(200);
    expect((await api.login(person.email, PASSWORD)).status).toBe(401);
    expect((await api.login(person.email, NEW_PASSWORD)).status).toBe(200);
  });

  it('are not changed by who holds a token but does not know the one before, nor guessed that way', async () => {
    const person = await createPerson(api, sql);
    const { accessToken } = await logIn(api, person);
    const other = await logIn(api, await createPerson(api, sql));
    expect((await change(other.accessToken, 'a wrong guess', NEW_PASSWORD)).body).toMatchObject({
      type: '/problems/wrong-password',
      detail: 'The current password is wrong.',
    });

    const statuses = [];
    for (let tries = 0; tries < 7; tries += 1) {
      statuses.push(
        (await change(accessToken, `a wrong guess number ${tries}`, NEW_PASSWORD)).status,
      );
    }

    expect(statuses[0]).toBe(403);
    expect(statuses.at(-1)).toBe(429);
    expect(await me(accessToken)).toBe(200);
  });

  it('are changed once by two changes at the same time', async () => {
    const person = await createPerson(api, sql);
    const { passwords } = api.authentication;

    let changes: Promise<PromiseSettledResult<unknown>[]> | undefined;
    await sql.begin(async (transaction) => {
      await transaction`select from accounts where user_id = ${person.id} for update`;
      // Listened to from the beginning: the one that fails may do so before this transaction is over.
      changes = Promise.allSettled(
        ['the first of the passwords', 'the second of the passwords'].map((newPassword) =>
          passwords.change(
            person.id,
            { currentPassword: PASSWORD, newPassword, keepApiKeys: false },
            '192.0.2.1',
          ),
        ),
      );
      // Both have found the password right, and come to where they change it.
      await untilTrue(async () => {
        const [waiting] = await sql`
          select count(*)::int as count from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'
        `;
        return waiting?.count === 2;
      });
    });
    const outcomes = (await changes) ?? [];

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { slug: 'wrong-password' },
    });
  });

  it.each([
    ['that is short', 'only 14 chars!', /15 to 128/],
    ['that many had', '1qaz2wsx3edc4rfv', /tried first/],
    ['that is a repetition', 'abcabcabcabcabcabc', /tried first/],
  ])('refuse a new one %s, with the field', async (_what, newPassword, message) => {
    const person = await createPerson(api, sql);
    const { accessToken } = await logIn(api, person);

    const response = await change(accessToken, PASSWORD, newPassword);

    expect(response.status).toBe(422);
    expect(response.body.detail).toBe('The body is not valid: /newPassword.');
    expect(response.body.errors?.[0]?.pointer).toBe('/newPassword');
    expect(response.body.errors?.[0]?.detail).toMatch(message);
  });

  it('are reset by a link, once; that ends all sessions and lets a locked account in again', async () => {
    const person = await createPerson(api, sql);
    const session = await logIn(api, person);
    for (let tries = 0; tries < 7; tries += 1) await api.login(person.email, 'some wrong password');
    expect((await api.login(person.email)).status).toBe(429);
    const token = await receiveLink(person);

    expect((await reset(token, NEW_PASSWORD)).status).toBe(204);
    expect(await me(session.accessToken)).toBe(401);
    expect(await refresh(session.refreshToken)).toBe(401);
    expect((await api.login(person.email, NEW_PASSWORD)).status).toBe(200);
    const again = await reset(token, 'yet another long password');
    expect(again.status).toBe(400);
    expect(again.body).toMatchObject({
      type: '/problems/invalid-reset-token',
      detail: 'The link has expired, was used, or was made worthless by a change of password.',
    });
    expect(api.log).toContainEqual(
      expect.objectContaining({ message: 'Password reset', userId: person.id, revokedApiKeys: 0 }),
    );
  });

  it('are set once by a link that is used many times at once', async () => {
    const token = await receiveLink(await createPerson(api, sql));

    const responses = await Promise.all(
      Array.from({ length: 8 }, (_, index) => reset(token, `a new long password number ${index}`)),
    );

    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([204, 400, 400, 400, 400, 400, 400, 400]);
  });

  it('are given by a link to who was created without one', async () => {
    const person = await createPerson(api, sql, { password: null });
    await sql`delete from accounts where user_id = ${person.id}`;

    expect((await reset(await receiveLink(person), NEW_PASSWORD)).status).toBe(204);
    expect((await api.login(person.email, NEW_PASSWORD)).status).toBe(200);
  });

  it('make other links worthless when they are changed or reset', async () => {
    const person = await createPerson(api, sql);
    const [first, second] = [await receiveLink(person), await receiveLink(person)];
    await reset(second, NEW_PASSWORD);
    expect((await reset(first, 'yet another long password')).status).toBe(400);

    const third = await receiveLink(person);
    const { accessToken } = await logIn(api, person, NEW_PASSWORD);
    await change(accessToken, NEW_PASSWORD, 'changed by hand this time');
    expect((await reset(third, 'yet another long password')).status).toBe(400);
  });

  it("are not reset by a link that has expired, nor by another's hash, nor by what is no secret", async () => {
    const person = await createPerson(api, sql);
    const token = await receiveLink(person);
    const hash = hashPasswordResetToken(token);
    await sql`update password_resets set expires_at = now() - interval '1 second' where token_hash = ${hash}`;

    for (const secret of [token, hash, '', 'x'.repeat(200)]) {
      expect((await reset(secret, NEW_PASSWORD)).status).toBe(400);
    }
    expect((await api.login(person.email)).status).toBe(200);
  });

  it('are reset with the same rules for new ones, and a refused one does not use the link up', async () => {
    const person = await createPerson(api, sql);
    const token = await receiveLink(person);

    const { status, body } = await reset(token, person.email);
    expect([status, body.errors?.[0]?.pointer]).toEqual([422, '/newPassword']);
    expect((await reset(token, NEW_PASSWORD)).status).toBe(204);
  });

  it('send a user three links an hour at most, and answer a fourth request as any other', async () => {
    const person = await createPerson(api, sql);

    const links = [];
    for (let times = 0; times < 5; times += 1) {
      expect((await requestReset(person.email)).status).toBe(202);
      links.push(await sendLink(api.dispatched.at(-1)?.data.passwordResetId ?? ''));
    }

    expect(links.filter((link) => link !== null)).toHaveLength(3);
  });

  it.each([
    ['an unknown address', async () => 'nobody.at.all@example.com'],
    ['what is no address', async () => 'no address'],
    ['a suspended user', async () => (await createPerson(api, sql, { status: 'suspended' })).email],
  ])(
    'answer a request for %s as for anybody, write as much, and send nothing',
    async (_what, email) => {
      const known = await requestReset((await createPerson(api, sql)).email);
      const before = api.dispatched.length;
      const [rows] = await sql`select count(*)::int as resets from password_resets`;

      const unknown = await requestReset(await email());

      const [after] = await sql`select count(*)::int as resets from password_resets`;
      const event = api.dispatched[before];
      expect(event).toEqual({
        specversion: '1.0',
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        source: EVENT_SOURCE,
        type: 'user.password-reset-requested',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/),
        datacontenttype: 'application/json',
        data: { passwordResetId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      });
      expect(unknown.headers.get('cache-control')).toBe('no-store');
      expect(unknown.status).toBe(known.status);
      expect(unknown.text).toBe(known.text);
      expect(after?.resets).toBe(rows?.resets + 1);
      expect(await sendLink(event?.data.passwordResetId ?? '')).toBeNull();
      const [outbox] = await sql`select type, data from outbox where id = ${event?.id ?? ''}`;
      expect(outbox).toEqual({
        type: 'user.password-reset-requested',
        data: { passwordResetId: event?.data.passwordResetId },
      });
    },
  );

  it('leave no secret and no address in the outbox, the events and the log', async () => {
    const person = await createPerson(api, sql);
    const token = await receiveLink(person);
    await reset(token, NEW_PASSWORD);

    const outbox = await sql`select data from outbox`;
    const text = JSON.stringify([outbox, api.dispatched, api.log]);

    expect(text).toContain('passwordResetId');
    for (const secret of [token, hashPasswordResetToken(token), person.email, NEW_PASSWORD]) {
      expect(text).not.toContain(secret);
    }
  });
});
