import { describe, expect, it, vi } from 'vitest';
import {
  requireCredentials,
  requireRecentLogin,
} from '../../../../services/user-api/auth/authenticator.ts';
import { decide, mayUseField } from '../../../../services/user-api/auth/authorization.ts';
import { AccessError, lastAdministratorError } from '../../../../services/user-api/auth/errors.ts';
import type { Identity } from '../../../../services/user-api/auth/identity.ts';

type Cells = Parameters<typeof decide>[0];

const cells: Cells = {
  anonymous: 'no',
  user: 'self',
  admin: 'all',
  apiKey: 'users:write',
  login: 'any',
};
const user = (loggedInBefore = 0, role: 'user' | 'admin' = 'user'): Identity => ({
  kind: 'user',
  userId: 7,
  role,
  sessionId: 'test',
  authenticatedAt: Date.now() - loggedInBefore,
});
const key = (...scopes: Extract<Identity, { kind: 'api-key' }>['scopes']): Identity => ({
  kind: 'api-key',
  apiKeyId: 1,
  userId: 7,
  role: 'user',
  scopes,
});

describe('decide', () => {
  it('asks nobody for credentials where none are needed', () => {
    expect(decide(cells, { kind: 'anonymous' }, '7')).toBe('credentials required');
    expect(decide({ ...cells, anonymous: 'yes' }, { kind: 'anonymous' }, '7')).toBe('allowed');
  });

  it.each([
    ['all', '8', 'allowed'],
    ['all', undefined, 'allowed'],
    ['self', '7', 'allowed'],
    ['self', '8', 'forbidden'],
    ['self', '77', 'forbidden'],
    ['self', undefined, 'forbidden'],
    ['none', '7', 'forbidden'],
  ] as const)('with a reach of %s, for the resource of %s: %s', (reach, subject, expected) => {
    expect(decide({ ...cells, user: reach, admin: 'none' }, user(), subject)).toBe(expected);
    expect(decide({ ...cells, user: reach }, key('users:write'), subject)).toBe(expected);
    const admin = { ...cells, user: 'none', admin: reach } as const;
    expect(decide(admin, user(0, 'admin'), subject)).toBe(expected);
  });

  it('where a recent login is taken, takes one of the last ten minutes; where any is, any', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_800_000_000_000 });
    try {
      const recent = { ...cells, login: 'recent' } as const;
      expect(decide(recent, user(600_000), '7')).toBe('allowed');
      expect(decide(recent, user(600_001), '7')).toBe('recent login required');
      expect(decide(cells, user(600_001), '7')).toBe('allowed');
      // Who may not at all is not asked to log in again.
      expect(decide(recent, user(600_001), '8')).toBe('forbidden');
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ['any key', [], 'allowed'],
    ['users:write', ['users:write'], 'allowed'],
    ['users:write', ['users:delete'], 'forbidden'],
    ['users:write', [], 'forbidden'],
    ['no key', ['users:write', 'users:delete'], 'forbidden'],
  ] as const)('where it says %s, a key with the scopes %j is %s', (apiKey, scopes, expected) => {
    // A key has no login that could be recent.
    expect(decide({ ...cells, apiKey, login: 'recent' }, key(...scopes), '7')).toBe(expected);
  });
});

describe('AccessError', () => {
  it('has the headers that it was given, and no others', () => {
    expect(new AccessError('forbidden', 'why').headers).toStrictEqual({});
    expect(
      new AccessError('forbidden', 'why', { retryAfterSeconds: 2, challenge: 'Bearer' }).headers,
    ).toEqual({ 'retry-after': '2', 'www-authenticate': 'Bearer' });
  });

  it('takes the place of the refusal of the last administrator alone', () => {
    const error = new Error('something else');

    expect(lastAdministratorError(error)).toBe(error);
  });

  it('says what a request lacks that has no credentials, or those of an old login', () => {
    expect(requireCredentials()).toMatchObject({
      name: 'AccessError',
      slug: 'credentials-required',
      message: 'This takes a login or an API key.',
      headers: { 'www-authenticate': 'Bearer realm="headroom"' },
    });
    expect(requireRecentLogin()).toMatchObject({
      slug: 'login-too-old',
      message: 'This takes a login of the last 10 minutes; a renewed session does not count.',
      headers: {
        'www-authenticate':
          'Bearer realm="headroom", error="insufficient_user_authentication", max_age="600"',
      },
    });
  });
});

describe('mayUseField', () => {
  it('looks at whose field it is', () => {
    const email = { ...cells, field: 'email', access: 'read' } as const;
    expect([7, 8].map((id) => mayUseField(email, user(), id))).toEqual([true, false]);
    expect(mayUseField(email, { kind: 'anonymous' }, 7)).toBe(false);
  });
});
