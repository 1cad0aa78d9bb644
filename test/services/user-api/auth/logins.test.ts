import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import type { Tokens } from '../../../../services/contracts/authentication.ts';
import type { ProblemDetails } from '../../../../services/contracts/problem.ts';
import { AccountRepository } from '../../../../services/user-api/auth/accounts/account-repository.ts';
import { hashArgon2id } from '../../../../services/user-api/auth/passwords/password-hasher.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import {
  type AuthApi,
  CHEAP_COST,
  connect,
  createPerson,
  logIn,
  PASSWORD,
  startAuthApi,
} from './support/auth-api.ts';

describeWithRedis('login', (redis) => {
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

  it('responds with tokens that say who one is, and that nobody may keep', async () => {
    const person = await createPerson(api, sql);

    const login = await api.login(person.email);
    const me = await api.call<{ user: { id: number }; role: string; credential: string }>(
      'GET',
      '/api/v1/auth/me',
      { token: login.body.accessToken },
    );

    expect(login.status).toBe(200);
    expect(login.headers.get('cache-control')).toBe('no-store');
    expect(login.body).toEqual({
      accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      tokenType: 'Bearer',
      expiresInSeconds: 600,
      refreshToken: expect.stringMatching(/^hrr_/),
      refreshExpiresInSeconds: 7 * 24 * 60 * 60,
    });
    expect(me.status).toBe(200);
    expect(me.body).toMatchObject({
      user: { id: person.id },
      role: 'user',
      credential: 'access-token',
    });
  });

  it('does not mind the case of the email address', async () => {
    const person = await createPerson(api, sql);

    expect((await api.login(person.email.toUpperCase())).status).toBe(200);
  });

  it('answers a wrong password, an unknown address and an account without a password alike', async () => {
    const person = await createPerson(api, sql);
    const without = await createPerson(api, sql, { password: null });

    const responses = await Promise.all([
      api.login(person.email, 'not the password at all'),
      api.login('nobody.at.all@example.com'),
      api.login(without.email),
    ]);

    const bodies = responses.map(({ body }) => ({ ...body, requestId: '' }));
    expect(responses.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[2]).toEqual(bodies[0]);
    expect(bodies[0]).toMatchObject({ type: '/problems/invalid-credentials' });
  });

  it('tells an inactive account only to who knows its password', async () => {
    const suspended = await createPerson(api, sql, { status: 'suspended' });

    const right = await api.login(suspended.email);
    const wrong = await api.login(suspended.email, 'not the password at all');

    expect(right.status).toBe(403);
    expect(right.body).toMatchObject({
      type: '/problems/account-not-active',
      detail: 'The account is suspended.',
    });
    expect(wrong.body).toMatchObject({
      type: '/problems/invalid-credentials',
      detail: 'The email address or the password is wrong.',
    });
  });

  it('lets a user guess a few times, then says how long to wait, even for the right password', async () => {
    const person = await createPerson(api, sql);

    const statuses: number[] = [];
    let last = await api.login(person.email, 'wrong wrong wrong wrong');
    for (let tries = 0; tries < 10 && last.status !== 429; tries += 1) {
      statuses.push(last.status);
      last = await api.login(person.email, 'wrong wrong wrong wrong');
    }
    const right = await api.login(person.email);

    expect(new Set(statuses)).toEqual(new Set([401]));
    expect(last.status).toBe(429);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(right.status).toBe(429);
  });

  it('counts no attempt whose password was not checked because too many were', async () => {
    const busy = await startAuthApi({
      database,
      redisUrl: redis().url,
      passwordConcurrency: 1,
      options: { passwords: { cost: CHEAP_COST, maximumWaiting: 0 } },
    });
    onTestFinished(() => busy.stop());
    const person = await createPerson(busy, sql);

    // Each hash follows the one before in the same tick, so that no login finds the only place free.
    let isOver = false;
    const occupied = (async () => {
      while (!isOver) await busy.authentication.hasher.verify(PASSWORD, null);
    })();
    const refused: number[] = [];
    for (let time = 0; time < 6; time += 1) refused.push((await busy.login(person.email)).status);
    isOver = true;
    await occupied;

    expect(refused).toEqual(Array(6).fill(503));
    expect((await busy.login(person.email)).status).toBe(200);
  });

  it('makes a new hash at the login of who has one of another cost, which then goes on to match', async () => {
    const person = await createPerson(api, sql, { password: null });
    const old = '$argon2id$v=19$m=32,t=1,p=1$';
    const hash = await hashArgon2id(PASSWORD, { memoryKibibytes: 32, passes: 1, parallelism: 1 });
    await sql`update accounts set password_hash = ${hash} where user_id = ${person.id}`;

    await logIn(api, person);
    const [account] = await sql`select password_hash from accounts where user_id = ${person.id}`;

    expect(hash).toContain(old);
    expect(account?.password_hash).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    expect((await api.login(person.email)).status).toBe(200);
  });

  it('leaves a hash of the cost of new ones as it is', async () => {
    const person = await createPerson(api, sql);
    const hash = async () =>
      (await sql`select password_hash from accounts where user_id = ${person.id}`)[0];
    const before = await hash();

    expect((await api.login(person.email)).status).toBe(200);
    expect(await hash()).toEqual(before);
  });

  it('lets in whose outdated hash could not be replaced, and says so', async () => {
    const person = await createPerson(api, sql);
    const hash = await hashArgon2id(PASSWORD, { ...CHEAP_COST, passes: 2 });
    await sql`update accounts set password_hash = ${hash} where user_id = ${person.id}`;
    const replace = vi
      .spyOn(AccountRepository.prototype, 'replaceOutdatedHash')
      .mockRejectedValueOnce(new Error('down'));
    onTestFinished(() => replace.mockRestore());

    expect((await api.login(person.email)).status).toBe(200);
    expect(api.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: 'An outdated password hash was not replaced',
        userId: person.id,
        error: expect.objectContaining({ message: 'down' }),
      }),
    );
  });

  it('gives access tokens that others verify with the published keys, which they may keep for five minutes', async () => {
    const { accessToken } = await logIn(api, await createPerson(api, sql));
    const { body, headers } = await api.call<JSONWebKeySet>('GET', '/.well-known/jwks.json');

    expect(headers.get('content-type')).toBe('application/jwk-set+json');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    const { protectedHeader } = await jwtVerify(accessToken, createLocalJWKSet(body));
    expect(protectedHeader.kid).toBe(body.keys[0]?.kid);
  });

  it('takes the whole of a long password, and of two that are composed differently', async () => {
    const long = `${'a long password of many words '.repeat(4)}ü`.slice(0, 128);
    const person = await createPerson(api, sql, { password: long });
    const accented = await createPerson(api, sql, { password: 'Zürich ist schön im Mai' });

    expect((await api.login(person.email, long)).status).toBe(200);
    expect((await api.login(person.email, long.slice(0, -1))).status).toBe(401);
    expect(
      (await api.login(accented.email, 'Zürich ist schön im Mai'.normalize('NFD'))).status,
    ).toBe(200);
  });

  it.each([
    ['a password that is too long', { email: 'a@example.com', password: 'x'.repeat(129) }],
    ['an empty password', { email: 'a@example.com', password: '' }],
    ['half of a surrogate pair', { email: 'a@example.com', password: `${PASSWORD}\ud800` }],
    ['a number', { email: 'a@example.com', password: 5 }],
    ['a field that is not taken', { email: 'a@example.com', password: PASSWORD, otp: '1' }],
    ['no password', { email: 'a@example.com' }],
  ])('refuses %s before it looks for an account', async (_what, body) => {
    const response = await api.call<ProblemDetails>('POST', '/api/v1/auth/login', { body });

    expect(response.status).toBe(422);
    expect(response.body.errors?.[0]?.pointer).toMatch(/^\/(password|otp)$/);
  });

  it('logs what matters, and no password, token or address', async () => {
    const person = await createPerson(api, sql);
    const { accessToken, refreshToken } = await logIn(api, person);
    await api.login(person.email, 'a wrong password it is');
    const refresh = (token: string) =>
      api.call<Tokens>('POST', '/api/v1/auth/refresh', { body: { refreshToken: token } });
    const next = (await refresh(refreshToken)).body.refreshToken ?? '';
    await refresh(next);
    await refresh(refreshToken);
    const session = await logIn(api, person);
    await api.call('PUT', '/api/v1/auth/password', {
      token: session.accessToken,
      body: { currentPassword: PASSWORD, newPassword: 'a password of another kind' },
    });

    const text = JSON.stringify(api.log);

    expect(text).toContain('Refresh token reused');
    expect(text).toContain('Password changed');
    for (const secret of [
      PASSWORD,
      'a wrong password it is',
      'a password of another kind',
      accessToken,
      refreshToken,
      next,
      person.email,
    ]) {
      expect(text).not.toContain(secret);
    }
  });
});
