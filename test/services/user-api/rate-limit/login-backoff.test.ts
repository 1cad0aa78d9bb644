import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { LoginBackoff } from '../../../../services/user-api/rate-limit/login-backoff.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { sharedStateOn } from './support/connect.ts';
import { connectForSuite } from './support/suite-redis.ts';

const ACCOUNT = 'somebody@example.com';
const HOME = '198.51.100.7';

async function attempts(backoff: LoginBackoff, account: string, count: number) {
  const results: boolean[] = [];
  for (let attempt = 0; attempt < count; attempt += 1) {
    results.push((await backoff.attempt(account)).allowed);
  }
  return results;
}

describe('LoginBackoff without Redis', () => {
  it('after five failures, refuses the sixth and says when to come back; then lets one try', async () => {
    let now = 0;
    const backoff = new LoginBackoff({ clock: () => now });
    expect(await attempts(backoff, ACCOUNT, 5)).toEqual([true, true, true, true, true]);
    expect(await backoff.attempt(ACCOUNT)).toMatchObject({
      allowed: false,
      retryAfterMilliseconds: 1_000,
    });
    now = 1_000;
    expect(await attempts(backoff, ACCOUNT, 2)).toEqual([true, false]);
    expect(await backoff.attempt(ACCOUNT)).toMatchObject({ retryAfterMilliseconds: 2_000 });
  });

  it('when attempts never cease, lets a guesser try about a hundred times a day', async () => {
    let now = 0;
    let tried = 0;
    const backoff = new LoginBackoff({ clock: () => now });
    for (; now < 24 * 3_600_000; now += 1_000) {
      if ((await backoff.attempt(ACCOUNT)).allowed) tried += 1;
    }
    expect(tried).toBeLessThan(115);
  });

  it('when the owner has logged in, begins again', async () => {
    const backoff = new LoginBackoff({ clock: () => 0 });
    await attempts(backoff, ACCOUNT, 4);
    await backoff.succeeded(ACCOUNT);
    expect(await attempts(backoff, ACCOUNT, 6)).toEqual([true, true, true, true, true, false]);
  });

  it('when nobody looked at the password, counts nothing: neither the attempt nor its wait', async () => {
    const backoff = new LoginBackoff({ clock: () => 0 });
    await attempts(backoff, ACCOUNT, 4);
    for (let time = 0; time < 20; time += 1) {
      const attempt = await backoff.attempt(ACCOUNT);
      expect(attempt.allowed).toBe(true);
      await attempt.withdraw();
    }
    expect(await attempts(backoff, ACCOUNT, 2)).toEqual([true, false]);
    const refused = await backoff.attempt(ACCOUNT);
    await refused.withdraw();
    expect((await backoff.attempt(ACCOUNT)).allowed).toBe(false);
  });

  it('when the first attempt is withdrawn, has nothing left of it', async () => {
    const backoff = new LoginBackoff({ clock: () => 0 });
    await (await backoff.attempt(ACCOUNT)).withdraw();
    expect(await attempts(backoff, ACCOUNT, 6)).toEqual([true, true, true, true, true, false]);
  });

  it('for an address that has logged in, counts apart from strangers, and not from itself', async () => {
    const backoff = new LoginBackoff({ clock: () => 0 });
    await backoff.succeeded(ACCOUNT, HOME);
    for (let time = 0; time < 6; time += 1) await backoff.attempt(ACCOUNT, `192.0.2.${time}`);
    expect((await backoff.attempt(ACCOUNT, '192.0.2.99')).allowed).toBe(false);
    const own: boolean[] = [];
    for (let time = 0; time < 6; time += 1) {
      own.push((await backoff.attempt(ACCOUNT.toUpperCase(), HOME)).allowed);
    }
    expect(own).toEqual([true, true, true, true, true, false]);
    // That of one account is a stranger to another.
    for (let time = 0; time < 6; time += 1) await backoff.attempt('other@example.com');
    expect((await backoff.attempt('other@example.com', HOME)).allowed).toBe(false);
    await backoff.succeeded(ACCOUNT, HOME);
    expect((await backoff.attempt(ACCOUNT, HOME)).allowed).toBe(true);
    expect((await backoff.attempt(ACCOUNT, '192.0.2.99')).allowed).toBe(true);
  });

  it('for one account written in different cases, counts together; for another, apart', async () => {
    const backoff = new LoginBackoff({ clock: () => 0 });
    await attempts(backoff, ACCOUNT, 5);
    expect(await backoff.attempt('SomeBody@Example.com')).toMatchObject({ allowed: false });
    expect(await backoff.attempt('other@example.com')).toMatchObject({ allowed: true });
  });
});

describeWithRedis('LoginBackoff with Redis', (server) => {
  let redis: Redis;
  connectForSuite(server, (connected) => {
    redis = connected;
  });
  const backoffOfOneProcess = () => new LoginBackoff({ state: sharedStateOn(redis) });

  it('when a hundred guesses come at once through several processes, lets five be tried', async () => {
    const processes = Array.from({ length: 4 }, backoffOfOneProcess);
    const results = await Promise.all(
      Array.from({ length: 25 }, () => processes.map((backoff) => backoff.attempt(ACCOUNT))).flat(),
    );
    expect(results.filter(({ allowed }) => allowed)).toHaveLength(5);
  });

  it('when the owner has logged in through one process, begins again in all', async () => {
    const [one, other] = [backoffOfOneProcess(), backoffOfOneProcess()];
    expect(await attempts(one, ACCOUNT, 6)).toEqual([true, true, true, true, true, false]);
    await other.succeeded(ACCOUNT);
    expect(await one.attempt(ACCOUNT)).toMatchObject({ allowed: true });
  });

  it('when nobody looked at the password, counts nothing: neither the attempt nor its wait', async () => {
    const backoff = backoffOfOneProcess();
    await attempts(backoff, ACCOUNT, 4);
    for (let time = 0; time < 20; time += 1) {
      const attempt = await backoff.attempt(ACCOUNT);
      expect(attempt.allowed).toBe(true);
      await attempt.withdraw();
    }
    expect(await attempts(backoff, ACCOUNT, 2)).toEqual([true, false]);
    const refused = await backoff.attempt(ACCOUNT);
    await refused.withdraw();
    expect((await backoff.attempt(ACCOUNT)).allowed).toBe(false);
  });

  it('when the first attempt is withdrawn, has nothing left of it', async () => {
    const backoff = backoffOfOneProcess();
    await (await backoff.attempt(ACCOUNT)).withdraw();
    expect(await attempts(backoff, ACCOUNT, 6)).toEqual([true, true, true, true, true, false]);
  });

  it('for an address that has logged in, counts apart from strangers, and not from itself', async () => {
    const backoff = backoffOfOneProcess();
    await backoff.succeeded(ACCOUNT, HOME);
    for (let time = 0; time < 6; time += 1) await backoff.attempt(ACCOUNT, `192.0.2.${time}`);
    expect((await backoff.attempt(ACCOUNT, '192.0.2.99')).allowed).toBe(false);
    const own: boolean[] = [];
    for (let time = 0; time < 6; time += 1) {
      own.push((await backoff.attempt(ACCOUNT.toUpperCase(), HOME)).allowed);
    }
    expect(own).toEqual([true, true, true, true, true, false]);
    // That of one account is a stranger to another.
    for (let time = 0; time < 6; time += 1) await backoff.attempt('other@example.com');
    expect((await backoff.attempt('other@example.com', HOME)).allowed).toBe(false);
    await backoff.succeeded(ACCOUNT, HOME);
    expect((await backoff.attempt(ACCOUNT, HOME)).allowed).toBe(true);
    expect((await backoff.attempt(ACCOUNT, '192.0.2.99')).allowed).toBe(true);
  });

  it('for an address that has logged in through one process, counts apart from strangers in all', async () => {
    const [one, other] = [backoffOfOneProcess(), backoffOfOneProcess()];
    await one.succeeded(ACCOUNT, HOME);
    for (let time = 0; time < 6; time += 1) await other.attempt(ACCOUNT, '192.0.2.1');
    expect((await other.attempt(ACCOUNT, '192.0.2.1')).allowed).toBe(false);
    expect((await other.attempt(ACCOUNT, HOME)).allowed).toBe(true);
  });

  it('of a login from nowhere in particular, remembers no address', async () => {
    await backoffOfOneProcess().succeeded(ACCOUNT);
    expect(await redis.keys('*')).toEqual([]);
  });

  it('in Redis, leaves nothing that names the account, and nothing that stays', async () => {
    await backoffOfOneProcess().attempt(ACCOUNT);
    const [key = ''] = await redis.keys('*');
    expect(`${key} ${await redis.get(key)}`).not.toContain('example');
    expect(await redis.pttl(key)).toBeGreaterThan(0);
  });
});
