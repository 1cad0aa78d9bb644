import { describe, expect, it } from 'vitest';
import { environmentVariables } from '../../../../services/contracts/environment/variables.ts';
import {
  defaultPolicies,
  HIGH_LIMITS,
  policiesWith,
} from '../../../../services/user-api/rate-limit/default-policies.ts';
import {
  definePolicy,
  PolicyError,
  type RateLimitPolicy,
  shareOf,
} from '../../../../services/user-api/rate-limit/policy.ts';

const sliding: RateLimitPolicy = {
  name: 'test',
  algorithm: 'sliding-window',
  limit: 10,
  windowSeconds: 60,
  keyedBy: ['user'],
};
const bucket: RateLimitPolicy = { ...sliding, algorithm: 'token-bucket' };

describe('definePolicy', () => {
  it.each<[string, RateLimitPolicy, string]>([
    [
      'a limit of 0',
      { ...sliding, limit: 0 },
      'limit got 0; it takes a whole number from 1 to 10000',
    ],
    ['a fraction', { ...sliding, limit: 1.5 }, 'limit got 1.5'],
    ['a log that would be too long', { ...sliding, limit: 10_001 }, 'limit got 10001'],
    ['a window over a day', { ...bucket, windowSeconds: 86_401 }, 'windowSeconds got 86401'],
    ['a burst of 0', { ...bucket, algorithm: 'token-bucket', burst: 0 }, 'burst got 0'],
    [
      'a lease of everything and more',
      { ...bucket, algorithm: 'token-bucket', leasedShare: 1.1 },
      'leasedShare got 1.1',
    ],
    [
      'a lease of nothing',
      { ...bucket, algorithm: 'token-bucket', leasedShare: 0 },
      'leasedShare got 0; it takes a number over 0, up to 1',
    ],
    [
      'a name that breaks a header',
      { ...sliding, name: 'a"b' },
      'the name takes lower-case letters',
    ],
    ['no kind of key', { ...sliding, keyedBy: [] }, 'keyedBy takes at least one kind of key'],
  ])('with %s, throws and says what it takes', (_case, policy, message) => {
    expect(() => definePolicy(policy)).toThrow(PolicyError);
    expect(() => definePolicy(policy)).toThrow(message);
  });

  it('takes a lease of the whole limit', () => {
    const policy = { ...bucket, algorithm: 'token-bucket', leasedShare: 1 } as const;
    expect(definePolicy(policy)).toBe(policy);
    expect(definePolicy(bucket)).toBe(bucket);
  });

  it('with the default policies, takes them all, and leases only reads', () => {
    const policies: readonly RateLimitPolicy[] = Object.values(defaultPolicies);
    for (const policy of policies) expect(definePolicy(policy)).toBe(policy);
    const leased = policies.filter((policy) => 'leasedShare' in policy);
    expect(leased.map(({ name }) => name)).toEqual(['reads']);
  });

  it('has the limits that the API promises', () => {
    const limits = Object.values(defaultPolicies).map(
      ({ name, limit, windowSeconds }) => `${name} ${limit}/${windowSeconds}`,
    );
    expect(limits).toEqual([
      'reads 1000/60',
      'creates 100/60',
      'updates 100/60',
      'deletes 50/60',
      'logins 10/60',
      'unknown-api-keys 20/60',
    ]);
  });
});

describe('policiesWith', () => {
  it('takes the limits for load tests, which are above those of the policies they name', () => {
    const policies = policiesWith(HIGH_LIMITS.split(','));
    for (const name of ['reads', 'creates', 'updates', 'deletes'] as const) {
      const perSecond = policies[name].limit / policies[name].windowSeconds;
      expect(perSecond, name).toBeGreaterThanOrEqual(10_000);
    }
  });

  it('with an override, changes that limit and window and leaves the rest', () => {
    const policies = policiesWith(['logins=3/600']);
    expect(policies.logins).toEqual({ ...defaultPolicies.logins, limit: 3, windowSeconds: 600 });
    expect(policies.reads).toEqual(defaultPolicies.reads);
  });

  it.each([
    [
      'an unknown name',
      'writes=3/600',
      'The policies are reads, creates, updates, deletes, logins, unknown-api-keys',
    ],
    ['more behind it', 'reads=3/600s', 'it takes <policy>=<requests>/<seconds>'],
    ['another form', 'reads=many', 'it takes <policy>=<requests>/<seconds>'],
    ['a name that is nearly one', 'raeds=3/600', 'Did you mean "reads"?'],
    ['a limit out of range', 'reads=0/60', 'limit got 0'],
  ])('with %s, throws and says what it takes', (_case, override, message) => {
    expect(() => policiesWith([override])).toThrow(message);
  });

  it('takes the policies that the description of RATE_LIMITS names, which a wrong form gets', () => {
    const names = Object.keys(defaultPolicies).join(', ');
    expect(environmentVariables.RATE_LIMITS.takes).toContain(`the policies are ${names}`);
  });

  it('with several mistakes, names them all', () => {
    const refused = () => policiesWith(['writes=3/600', 'reads=3/600', 'creates=20000/60']);
    expect(refused).toThrow(/"writes=3\/600".*\n.*"creates=20000\/60".*limit got 20000/);
  });
});

describe('shareOf', () => {
  it('with limits that do not divide evenly, gives all processes together at most one less than their number too much', () => {
    for (const limit of [1, 7, 50, 1_000]) {
      for (const processes of [1, 3, 8, 100]) {
        const together = processes * shareOf({ ...sliding, limit }, processes).limit;
        expect(together).toBeGreaterThanOrEqual(limit);
        expect(together).toBeLessThanOrEqual(limit + processes - 1);
      }
    }
  });

  it('of a bucket, divides what it holds as well', () => {
    const whole = { ...bucket, algorithm: 'token-bucket', limit: 100 } as const;
    expect(shareOf({ ...whole, burst: 30 }, 8)).toMatchObject({ limit: 13, burst: 4 });
    expect(shareOf(whole, 8)).toMatchObject({ limit: 13, burst: 13 });
    expect(shareOf(sliding, 8)).toEqual({ ...sliding, limit: 2 });
  });
});
