import { beforeAll, describe, expect, it, vi } from 'vitest';
import { AccessError } from '../../../../services/user-api/auth/errors.ts';
import { throttled } from '../../../../services/user-api/auth/logins/login-throttle.ts';
import { TokenIssuer } from '../../../../services/user-api/auth/logins/token-issuer.ts';
import { SessionStore } from '../../../../services/user-api/auth/sessions/session-store.ts';
import { AccessTokens } from '../../../../services/user-api/auth/tokens/access-tokens.ts';
import { KeyRing } from '../../../../services/user-api/auth/tokens/key-ring.ts';
import { createSigningKeySet } from '../../../../services/user-api/auth/tokens/key-rotation.ts';

const holder = { userId: 17, role: 'admin', generation: 3 } as const;

describe('TokenIssuer without a store of sessions', () => {
  let accessTokens: AccessTokens;
  beforeAll(async () => {
    const keys = await KeyRing.open(await createSigningKeySet(Date.now() - 1_000));
    accessTokens = new AccessTokens({ keys, issuer: 'http://a.test', audience: 'a' });
  });

  it('gives an access token of a session of its own, from now on, and no refresh token', async () => {
    const issuer = new TokenIssuer(new SessionStore(null), accessTokens);
    const before = Date.now();

    const [one, two] = [await issuer.begin(holder), await issuer.begin(holder)];

    expect(one).toEqual({
      accessToken: expect.any(String),
      tokenType: 'Bearer',
      expiresInSeconds: 600,
    });
    const [first, second] = [
      await accessTokens.verify(one.accessToken),
      await accessTokens.verify(two.accessToken),
    ];
    if (typeof first === 'string' || typeof second === 'string') throw new Error('Not good');
    expect(first).toMatchObject({ ...holder, sessionId: expect.stringMatching(/^[\w-]{22}$/) });
    expect(first.sessionId).not.toBe(second.sessionId);
    expect(first.authenticatedAt).toBeGreaterThan(before - 1_000);
    expect(first.authenticatedAt).toBeLessThanOrEqual(Date.now());
  });

  it('gives nothing when something else fails', async () => {
    const sessions = new SessionStore(null);
    const issuer = new TokenIssuer(sessions, accessTokens);
    for (const error of [new Error('a mistake'), new AccessError('forbidden', 'no')]) {
      vi.spyOn(sessions, 'open').mockRejectedValueOnce(error);
      await expect(issuer.begin(holder)).rejects.toBe(error);
    }
  });
});

describe('throttled', () => {
  const asked: unknown[] = [];
  let withdrawn = 0;
  const throttle = (allowed: boolean, retryAfterMilliseconds = 0) => ({
    attempt: async (...of: unknown[]) => {
      asked.push(of);
      return {
        allowed,
        retryAfterMilliseconds,
        withdraw: async () => {
          withdrawn += 1;
        },
      };
    },
    succeeded: async () => {},
  });

  it('does not check what is not allowed, and says after how many whole seconds it is', async () => {
    const check = () => Promise.reject(new Error('It was checked'));

    await expect(throttled(throttle(false, 1_001), 'a', undefined, check)).rejects.toMatchObject({
      slug: 'too-many-logins',
      message: 'Too many logins to this account have failed.',
      headers: { 'retry-after': '2' },
    });
    expect(withdrawn).toBe(0);
  });

  it('counts what was checked, and withdraws what could not be', async () => {
    asked.length = 0;
    expect(await throttled(throttle(true), 'a', '192.0.2.1', async () => false)).toBe(false);
    expect(asked).toEqual([['a', '192.0.2.1']]);
    expect(withdrawn).toBe(0);

    const busy = new Error('busy');
    const refused = throttled(throttle(true), 'a', undefined, () => Promise.reject(busy));
    await expect(refused).rejects.toBe(busy);
    expect(withdrawn).toBe(1);
  });
});
