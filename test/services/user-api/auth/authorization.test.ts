import { describe, expect, it, vi } from 'vitest';
import { decide, mayUseField } from '../../../../services/user-api/auth/authorization.ts';
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

describe('mayUseField', () => {
  it('looks at whose field it is', () => {
    const email = { ...cells, field: 'email', access: 'read' } as const;
    expect([7, 8].map((id) => mayUseField(email, user(), id))).toEqual([true, false]);
    expect(mayUseField(email, { kind: 'anonymous' }, 7)).toBe(false);
  });
});
