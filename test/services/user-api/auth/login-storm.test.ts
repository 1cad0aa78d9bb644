import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LoginThrottle } from '../../../../services/user-api/auth/logins/login-throttle.ts';
import { ARGON2ID_COST } from '../../../../services/user-api/auth/passwords/password-hasher.ts';
import { AccessTokens } from '../../../../services/user-api/auth/tokens/access-tokens.ts';
import { KeyRing } from '../../../../services/user-api/auth/tokens/key-ring.ts';
import { createSigningKeySet } from '../../../../services/user-api/auth/tokens/key-rotation.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import {
  type AuthApi,
  connect,
  createPerson,
  logIn,
  type Person,
  startAuthApi,
} from './support/auth-api.ts';

/** Hundreds of logins are what is tested here, not what slows them down. */
const noThrottle: LoginThrottle = {
  attempt: async () => ({ allowed: true, retryAfterMilliseconds: 0, withdraw: async () => {} }),
  succeeded: async () => {},
};

const median = (values: readonly number[]) =>
  [...values].sort((first, second) => first - second)[Math.floor(values.length / 2)] ?? Number.NaN;

async function timed<Result>(action: () => Promise<Result>): Promise<[number, Result]> {
  const start = performance.now();
  const result = await action();
  return [performance.now() - start, result];
}

describeWithRedis('logins at their real cost', (redis) => {
  let database: TestDatabase;
  let sql: Sql;
  let api: AuthApi;
  let person: Person;
  let issueToken: () => Promise<string>;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = connect(database);
    const keySet = await createSigningKeySet(Date.now() - 1_000);
    api = await startAuthApi({
      database,
      redisUrl: redis().url,
      keys: JSON.stringify(keySet),
      throttle: noThrottle,
      options: { passwords: { cost: ARGON2ID_COST } },
    });
    person = await createPerson(api, sql);
    const tokens = new AccessTokens({
      keys: await KeyRing.open(keySet),
      issuer: 'http://api.test',
      audience: 'headroom-test',
    });
    issueToken = () =>
      tokens.issue({
        userId: person.id,
        role: 'user',
        sessionId: 'storm',
        generation: 0,
        authenticatedAt: Date.now(),
      });
    await logIn(api, person);
  });
  afterAll(async () => {
    await api?.stop();
    await sql?.end();
    await database?.drop();
  });

  it('take as long for an address that nobody has as for a wrong password, and for no password', async () => {
    const without = await createPerson(api, sql, { password: null });
    const times = { known: [] as number[], unknown: [] as number[], without: [] as number[] };
    for (let round = 0; round < 9; round += 1) {
      const wrong = 'not the right password';
      times.known.push((await timed(() => api.login(person.email, wrong)))[0]);
      times.unknown.push((await timed(() => api.login(`no.${round}@example.com`, wrong)))[0]);
      times.without.push((await timed(() => api.login(without.email, wrong)))[0]);
    }

    // Without the dummy hash the ratio is about one to ten. The shortest time has the least of what other programs add.
    const known = Math.min(...times.known);
    for (const other of [Math.min(...times.unknown), Math.min(...times.without)]) {
      expect(other / known).toBeGreaterThan(0.5);
      expect(other / known).toBeLessThan(2);
    }
  });

  it('have their like in requests for a new password: as long for nobody as for somebody', async () => {
    const times = { known: [] as number[], unknown: [] as number[] };
    const request = (email: string) =>
      api.call('POST', '/api/v1/auth/password-resets', { body: { email } });
    for (let round = 0; round < 25; round += 1) {
      times.known.push((await timed(() => request(person.email)))[0]);
      times.unknown.push((await timed(() => request(`no.${round}@example.com`)))[0]);
    }

    const ratio = Math.min(...times.unknown) / Math.min(...times.known);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });

  it('do not starve reads when they come in a storm: who is too many is told when to come again', async () => {
    const storm = Array.from({ length: 120 }, (_, index) =>
      timed(() => api.login(index % 2 === 0 ? person.email : `no.${index}@example.com`)),
    );
    let over = false;
    const all = Promise.all(storm).finally(() => {
      over = true;
    });
    // Each read has a token that has to be verified, on the same threads as passwords, and goes to the database.
    const reads: number[] = [];
    while (!over) {
      const token = await issueToken();
      const [duration, response] = await timed(() => api.call('GET', '/api/v1/auth/me', { token }));
      expect(response.status).toBe(200);
      reads.push(duration);
    }
    const outcomes = await all;

    const accepted = outcomes.filter(([, { status }]) => status === 200 || status === 401);
    const refused = outcomes.filter(([, { status }]) => status === 503);
    expect(accepted.length + refused.length).toBe(storm.length);
    expect(refused.length).toBeGreaterThan(0);
    for (const [, response] of refused) {
      expect(response.body).toMatchObject({ type: '/problems/password-hashing-busy' });
      expect(response.headers.get('retry-after')).toBe('1');
    }
    // A login waits its turn behind others; a read must not wait behind any.
    expect(reads.length).toBeGreaterThan(10);
    expect(median(reads)).toBeLessThan(median(accepted.map(([duration]) => duration)) / 4);
    expect(api.authentication.hasher.load).toEqual({ running: 0, waiting: 0 });
  });
});
