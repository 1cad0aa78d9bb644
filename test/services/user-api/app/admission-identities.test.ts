import { describe, expect, it } from 'vitest';
import { Admission } from '../../../../services/user-api/app/admission.ts';
import { AccessError } from '../../../../services/user-api/auth/errors.ts';
import { ANONYMOUS, type Identity } from '../../../../services/user-api/auth/identity.ts';
import type { CheckedRequest } from '../../../../services/user-api/rate-limit/decision.ts';
import type { RoutePolicyName } from '../../../../services/user-api/rate-limit/default-policies.ts';
import { createRateLimits } from '../../../../services/user-api/rate-limit/rate-limits.ts';

const USER: Identity = {
  kind: 'user',
  userId: 5,
  role: 'user',
  sessionId: 'session',
  authenticatedAt: 0,
};
const API_KEY: Identity = { kind: 'api-key', apiKeyId: 7, userId: 5, role: 'user', scopes: [] };
const NOT_GOOD = new AccessError('invalid-api-key', 'Not good.');

const ADDRESS = '192.0.2.1';

/** Admission at one address, with two reads a minute, and ten of all users; `authenticate` says who sends a request. */
function createAdmission(authenticate: () => Identity | Promise<Identity> = () => ANONYMOUS) {
  const { limiters, usersAtAddress } = createRateLimits({ overrides: ['reads=2/60'] });
  const { reads } = limiters;
  const sent: Record<string, unknown>[] = [];
  const create = (parts = limiters) =>
    new Admission({
      authenticator: { authenticate },
      limits: { limiters: parts, usersAtAddress },
    });
  const admission = create();
  return {
    admission,
    /** Admission whose limit of reads cannot be decided at once. */
    undecided: () =>
      create({
        ...limiters,
        reads: {
          policy: reads.policy,
          counts: reads.counts,
          decide: (key) => reads.decide(key),
          decideNow: () => undefined,
          close: () => reads.close(),
        },
      }),
    /** The fields of the responses. */
    sent,
    admit(policy: RoutePolicyName | null = 'reads', counted?: CheckedRequest) {
      const fields: Record<string, unknown> = {};
      sent.push(fields);
      // Nothing else of it is looked at.
      const outgoing = {
        setHeader: (name: string, value: unknown) => {
          fields[name] = value;
        },
      } as unknown as Parameters<Admission['admit']>[0]['outgoing'];
      const found = counted === undefined ? {} : { counted };
      return admission.admit(
        { incoming: { headers: {} }, outgoing, address: ADDRESS, found },
        policy,
      );
    },
  };
}

describe('Admission', () => {
  it.each([ANONYMOUS, USER, API_KEY])('lets in %o at once, and counts it', (identity) => {
    const { admission, admit, sent } = createAdmission(() => identity);
    expect(admit()).toBe(identity);
    expect(sent).toEqual([
      { 'ratelimit-policy': '"reads";q=2;w=60', ratelimit: '"reads";r=1;t=30' },
    ]);
    const none = { anonymous: 0, user: 0, 'api-key': 0, refused: 0 };
    expect(admission.counts).toEqual({ ...none, [identity.kind]: 1 });
    expect(admit()).toBe(identity);
    expect(() => admit()).toThrow('The quota of the policy "reads" is used up.');
    expect(sent[2]).toMatchObject({ 'retry-after': expect.stringMatching(/^\d+$/) });
    // Nothing is counted under no policy.
    expect(admit(null)).toBe(identity);
    expect(sent[3]).toEqual({});
    // An account has a limit of its own, besides that of the address.
    const other = admission.countAnonymousReadNow(ADDRESS);
    expect(other?.decision.allowed).toBe(identity !== ANONYMOUS);
  });

  it('waits for who has to be looked up', async () => {
    const { admission, admit } = createAdmission(async () => API_KEY);
    expect(await admit()).toBe(API_KEY);
    expect(admission.counts['api-key']).toBe(1);
  });

  it('names a caller by the API key, else the user, else the address', () => {
    const { admission } = createAdmission();
    const names = [API_KEY, USER, ANONYMOUS].map((one) => admission.callerOf(one, ADDRESS));
    expect(names).toEqual(['api-key:7', 'user:5', 'address:192.0.2.1']);
  });

  it.each([
    [
      'at once',
      () => {
        throw NOT_GOOD;
      },
    ],
    ['later', () => Promise.reject(NOT_GOOD)],
  ])('counts credentials that are refused %s by the address', async (_when, authenticate) => {
    const { admission, admit } = createAdmission(authenticate);
    await expect(admit()).rejects.toBe(NOT_GOOD);
    expect(admission.countAnonymousReadNow(ADDRESS)?.decision.allowed).toBe(true);
    await expect(admit()).rejects.toMatchObject({ name: 'RateLimitExceeded' });
    expect(admission.counts).toMatchObject({ anonymous: 1, refused: 2 });
  });

  it('does not count whom it could not look up', async () => {
    const away = new Error('Away');
    const { admission, admit, sent } = createAdmission(() => Promise.reject(away));
    await expect(admit()).rejects.toBe(away);
    expect(admission.counts.refused).toBe(0);
    expect(sent).toEqual([{}]);
  });

  it('does not count again what was counted before it', () => {
    const { admission, admit } = createAdmission();
    const counted = admission.countAnonymousReadNow(ADDRESS);
    expect(counted?.decision).toMatchObject({ allowed: true, remaining: 1 });
    expect(admit('reads', counted)).toBe(ANONYMOUS);
    expect(admission.counts.anonymous).toBe(1);
    expect(admission.countAnonymousReadNow(ADDRESS)?.decision.remaining).toBe(0);
  });

  it('counts nothing at once that Redis must decide', () => {
    const admission = createAdmission().undecided();
    expect(admission.countAnonymousReadNow(ADDRESS)).toBeUndefined();
    expect(admission.counts.anonymous).toBe(0);
  });

  it('counts what is refused before anybody looks at who sends it', async () => {
    const { admission } = createAdmission();
    expect(await admission.countRefused(ADDRESS)).toBeNull();
    expect(await admission.countRefused(ADDRESS)).toBeNull();
    const problem = await admission.countRefused(ADDRESS);
    expect(problem).toMatchObject({
      slug: 'rate-limit-exceeded',
      message: 'The quota of the policy "reads" is used up.',
    });
    expect(problem?.headers).toMatchObject({ 'retry-after': expect.stringMatching(/^\d+$/) });
  });
});
