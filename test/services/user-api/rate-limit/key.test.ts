import { describe, expect, it } from 'vitest';
import { defaultPolicies } from '../../../../services/user-api/rate-limit/default-policies.ts';
import {
  callerKey,
  redisKeyFormat,
  spaceOf,
} from '../../../../services/user-api/rate-limit/key.ts';

const address = '203.0.113.7';

describe('callerKey', () => {
  it.each([
    ['an API key', { apiKeyId: 'k1', userId: 5, address }, 'api-key:k1'],
    ['a user', { userId: 5, address }, 'user:5'],
    ['nobody known', { address }, 'address:203.0.113.7'],
  ])('for a request of %s, takes the most specific kind', (_case, identity, key) => {
    expect(callerKey(identity)).toBe(key);
  });
});

describe('redisKeyFormat', () => {
  it('for any key, gives the space and a digest as the hash tag, and nothing of the key', () => {
    const name = redisKeyFormat()('reads:token-bucket:60', `address:${address}`);
    expect(name).toMatch(/^rate-limit:reads:token-bucket:60:\{[\w-]{22}\}$/);
    expect(name).not.toContain('203');
  });

  it('with another secret, gives another digest; with the same, the same', () => {
    const digest = (secret?: string) => redisKeyFormat(secret)('space', 'key');
    expect(new Set([digest(), digest('one secret'), digest('another secret')]).size).toBe(3);
    expect(digest('one secret')).toBe(digest('one secret'));
  });
});

describe('spaceOf', () => {
  it('names states differently that a deployment could not read', () => {
    expect(spaceOf(defaultPolicies.reads)).toBe('reads:token-bucket:60');
  });
});
