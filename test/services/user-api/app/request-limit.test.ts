import { describe, expect, it } from 'vitest';
import { createRequestLimit, requireAllowed } from '../../../../services/user-api/app/admission.ts';
import type { CheckedRequest } from '../../../../services/user-api/rate-limit/decision.ts';
import {
  defaultPolicies,
  policyOfUsersAtAddress,
} from '../../../../services/user-api/rate-limit/default-policies.ts';
import { InProcessLimiter } from '../../../../services/user-api/rate-limit/in-process-limiter.ts';
import type { RateLimitPolicy } from '../../../../services/user-api/rate-limit/policy.ts';

const policy: RateLimitPolicy = {
  name: 'creates',
  algorithm: 'sliding-window',
  limit: 2,
  windowSeconds: 60,
  keyedBy: ['user', 'address'],
};
const limiterOf = (changes: object = {}) =>
  new InProcessLimiter({ policy: { ...policy, ...changes }, clock: () => 0 });
const [one, other] = ['192.0.2.1', '192.0.2.2'];

/** Asked of limiters in this process, which decide at once. */
function now(checked: CheckedRequest | Promise<CheckedRequest>): CheckedRequest {
  if (checked instanceof Promise) throw new Error('It had to wait');
  return checked;
}

describe('createRequestLimit', () => {
  it('without credentials, counts by address, and gives the fields without a promise', () => {
    const limit = createRequestLimit(limiterOf());
    expect(limit.checkNow(one)).toMatchObject({
      decision: { allowed: true },
      headers: { 'ratelimit-policy': '"creates";q=2;w=60', ratelimit: '"creates";r=1;t=60' },
    });
    expect(now(limit.check({ address: one })).decision).toMatchObject({ remaining: 0 });
    const refused = limit.checkNow(one);
    expect(refused?.headers['retry-after']).toBe('60');
    expect(() => refused && requireAllowed(refused)).toThrow('"creates" is used up');
    const allowed = limit.checkNow(other);
    expect(allowed?.decision.allowed).toBe(true);
    expect(() => allowed && requireAllowed(allowed)).not.toThrow();
  });

  it('of an account, counts all its API keys together, from whatever address', () => {
    const limit = createRequestLimit(limiterOf(), limiterOf({ limit: 20 }));
    const ask = (apiKeyId: number, address: string) =>
      now(limit.check({ apiKeyId, userId: 7, address })).decision.allowed;
    expect([ask(1, one), ask(2, other), ask(3, '192.0.2.3')]).toEqual([true, true, false]);
  });

  it('of several accounts behind one address, counts them together besides, and shows the tightest', () => {
    const limit = createRequestLimit(limiterOf(), limiterOf({ name: 'of-users', limit: 3 }));
    const ask = (userId: number, address = one) => now(limit.check({ userId, address }));
    expect(ask(1).headers.ratelimit).toBe('"creates";r=1;t=60');
    expect(ask(2).headers.ratelimit).toBe('"creates";r=1;t=60');
    expect(ask(3).headers.ratelimit).toBe('"of-users";r=0;t=60');
    expect(ask(4).decision).toMatchObject({ allowed: false, policy: { name: 'of-users' } });
    expect(ask(4, other).decision.allowed).toBe(true);
    // Who has no account is not held up by those who have.
    expect(limit.checkNow(one)?.decision.allowed).toBe(true);
  });

  it('of a user over the limit, takes nothing from others behind the address', () => {
    const limit = createRequestLimit(limiterOf(), limiterOf({ name: 'of-users', limit: 3 }));
    const ask = (userId: number) => now(limit.check({ userId, address: one })).decision.allowed;
    expect([1, 1, 1, 1, 1].map(ask)).toEqual([true, true, false, false, false]);
    expect(ask(2)).toBe(true);
  });

  it('without a limit for users of an address, counts them with everybody else behind it', () => {
    const limit = createRequestLimit(limiterOf());
    expect(now(limit.check({ userId: 1, address: one })).decision.allowed).toBe(true);
    expect(now(limit.check({ userId: 2, address: one })).decision.allowed).toBe(true);
    expect(now(limit.check({ userId: 3, address: one })).decision.allowed).toBe(false);
    expect(limit.checkNow(one)?.decision.allowed).toBe(false);
  });

  it('by address alone, counts nobody by account', () => {
    const limit = createRequestLimit(limiterOf({ keyedBy: ['address'] }));
    const ask = (address: string) => now(limit.check({ userId: 1, address })).decision.allowed;
    expect([ask(one), ask(one), ask(one), ask(other)]).toEqual([true, true, false, true]);
  });

  it.each([
    [true, true, 3, 1, 'address', [1, 2]],
    [true, true, 1, 3, 'user', [1, 2]],
    [false, true, 0, 3, 'user', [1, 2]],
    [true, false, 3, 0, 'address', [1, 2]],
    [true, false, 0, 0, 'address', [2, 1]],
    [false, false, 0, 0, 'address', [1, 2]],
    [false, false, 0, 0, 'user', [2, 1]],
  ] as const)(
    'waiting for Redis, with the user allowed: %s and the address allowed: %s, gives the tighter',
    async (user, address, left, leftOfAddress, expected, [wait, waitOfAddress]) => {
      const responding = (
        limiter: InProcessLimiter,
        allowed: boolean,
        remaining: number,
        wait: number,
      ) =>
        Object.assign(limiter, {
          decide: async () => ({
            policy: limiter.policy,
            source: 'redis' as const,
            allowed,
            remaining,
            resetMilliseconds: wait,
            retryAfterMilliseconds: allowed ? 0 : wait,
          }),
        });
      const limit = createRequestLimit(
        responding(limiterOf({ name: 'user' }), user, left, 1_000 * wait),
        responding(limiterOf({ name: 'address' }), address, leftOfAddress, 1_000 * waitOfAddress),
      );
      const { decision } = await limit.check({ userId: 1, address: one });
      expect(decision).toMatchObject({ allowed: user && address, policy: { name: expected } });
    },
  );
});

describe('createRequestLimit, when Redis must be asked for one of two decisions,', () => {
  it.each(['own', 'address'])('waits for it: %s', async (slow) => {
    const inTime = (limiter: InProcessLimiter) => limiter;
    const later = (limiter: InProcessLimiter) => {
      const decision = limiter.decideNow('of Redis');
      return Object.assign(limiter, { decide: async () => decision });
    };
    const limit = createRequestLimit(
      (slow === 'own' ? later : inTime)(limiterOf()),
      (slow === 'own' ? inTime : later)(limiterOf({ name: 'of-users', limit: 1 })),
    );
    const checked = limit.check({ userId: 1, address: one });
    expect(checked).toBeInstanceOf(Promise);
    expect((await checked).decision).toMatchObject({ remaining: 0, policy: { name: 'of-users' } });
  });
});

describe('policyOfUsersAtAddress', () => {
  it('gives ten times the limit, as far as the algorithm goes', () => {
    expect(policyOfUsersAtAddress(defaultPolicies.reads)).toMatchObject({
      name: 'reads-of-users-at-address',
      limit: 10_000,
      keyedBy: ['address'],
    });
    const many = { limit: 9_000_000 };
    expect(policyOfUsersAtAddress({ ...defaultPolicies.reads, ...many }).limit).toBe(10_000_000);
    expect(policyOfUsersAtAddress({ ...defaultPolicies.deletes, limit: 9_000 }).limit).toBe(10_000);
  });
});
