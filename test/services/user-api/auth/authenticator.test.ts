import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiKeyGrant } from '../../../../services/user-api/auth/api-keys/api-key-repository.ts';
import { createApiKeyText } from '../../../../services/user-api/auth/api-keys/api-key-text.ts';
import { ApiKeyVerifier } from '../../../../services/user-api/auth/api-keys/api-key-verifier.ts';
import { Authenticator } from '../../../../services/user-api/auth/authenticator.ts';
import { ANONYMOUS } from '../../../../services/user-api/auth/identity.ts';
import { Revocations } from '../../../../services/user-api/auth/revocations/revocations.ts';
import { AccessTokens } from '../../../../services/user-api/auth/tokens/access-tokens.ts';
import { KeyRing } from '../../../../services/user-api/auth/tokens/key-ring.ts';
import { createSigningKeySet } from '../../../../services/user-api/auth/tokens/key-rotation.ts';
import { DatabaseUnavailable } from '../../../../services/user-api/database/errors.ts';
import { RateLimitExceeded } from '../../../../services/user-api/rate-limit/decision.ts';
import { defaultPolicies } from '../../../../services/user-api/rate-limit/default-policies.ts';
import { FailureLimiter } from '../../../../services/user-api/rate-limit/failure-limiter.ts';

const unknownKeys = defaultPolicies['unknown-api-keys'];
const here = '192.0.2.1';
const subject = {
  userId: 17,
  role: 'user',
  sessionId: 'session',
  generation: 1,
  authenticatedAt: 5_000,
} as const;
const apiKey = createApiKeyText();
const grant: ApiKeyGrant = {
  apiKeyId: 5,
  userId: 17,
  role: 'user',
  status: 'active',
  generation: 1,
  scopes: ['users:write'],
  expiresAt: Date.now() + 3_600_000,
};
const keyIdentity = {
  kind: 'api-key',
  apiKeyId: 5,
  userId: 17,
  role: 'user',
  scopes: ['users:write'],
};

/** What the database would answer about keys, and how often it was asked; it fails when told to. */
class Keys {
  asked: ('reader' | 'writer')[] = [];
  reader: ApiKeyGrant | null = grant;
  writer: ApiKeyGrant | null = grant;
  isUp = true;

  async findGrant(_hash: string, on: 'reader' | 'writer'): Promise<ApiKeyGrant | null> {
    this.asked.push(on);
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.isUp) throw new DatabaseUnavailable('down', { outcome: 'not applied' });
    return this[on];
  }
}

describe('Authenticator', () => {
  let ring: KeyRing;
  let accessTokens: AccessTokens;
  let revocations: Revocations;
  let keys: Keys;
  let uses: number[];
  let authenticator: Authenticator;

  beforeAll(async () => {
    ring = await KeyRing.open(await createSigningKeySet(Date.now() - 1_000));
  });
  beforeEach(() => {
    accessTokens = new AccessTokens({
      keys: ring,
      issuer: 'http://a.test',
      audience: 'a',
      // Looked up each time, so that it is the clock that the tests move.
      now: () => Date.now(),
    });
    revocations = new Revocations(600);
    keys = new Keys();
    uses = [];
    authenticator = new Authenticator({
      accessTokens,
      revocations,
      apiKeys: new ApiKeyVerifier({
        repository: keys,
        revocations,
        uses: { record: (apiKeyId) => void uses.push(apiKeyId) },
        unknownKeys: new FailureLimiter({ policy: unknownKeys }),
      }),
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** Moves the clock, and the time since the process began, so far beyond what they really are. */
  function advance(milliseconds: number): void {
    vi.useRealTimers();
    vi.restoreAllMocks();
    const [date, sinceStart] = [Date.now(), performance.now()];
    vi.useFakeTimers({ toFake: ['Date'], now: date + milliseconds });
    vi.spyOn(performance, 'now').mockReturnValue(sinceStart + milliseconds);
  }

  it("knows at once that a request without credentials is nobody's in particular", () => {
    expect(authenticator.authenticate({ accept: '*/*' }, here)).toBe(ANONYMOUS);
  });

  it('verifies a token once, and knows it at once from then on', async () => {
    const headers = { authorization: `Bearer ${await accessTokens.issue(subject)}` };
    const verify = vi.spyOn(accessTokens, 'verify');
    const identity = {
      kind: 'user',
      userId: 17,
      role: 'user',
      sessionId: 'session',
      authenticatedAt: 5_000,
    };

    const first = authenticator.authenticate(headers, here);
    expect(first).toBeInstanceOf(Promise);
    expect(await first).toEqual(identity);
    for (let times = 0; times < 10; times += 1) {
      expect(authenticator.authenticate(headers, here)).toEqual(identity);
    }
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['bearer   token', 'The access token was not made by this API.'],
    ['BEARER token', 'The access token was not made by this API.'],
    ['Bearer', 'The Authorization header does not have the form `Bearer <access token>`.'],
    ['Bearertoken', 'The Authorization header does not have the form `Bearer <access token>`.'],
    ['Basic Bearer x', 'The Authorization header does not have the form `Bearer <access token>`.'],
  ])('says what is wrong with the header %j', async (authorization, message) => {
    await expect(authenticator.authenticate({ authorization }, here)).rejects.toMatchObject({
      slug: 'invalid-access-token',
      message,
    });
  });

  it('does not know a token any more when it has expired', async () => {
    const headers = { authorization: `Bearer ${await accessTokens.issue(subject)}` };
    await authenticator.authenticate(headers, here);
    advance(606_000);

    await expect(authenticator.authenticate(headers, here)).rejects.toMatchObject({
      slug: 'invalid-access-token',
      message: 'The access token has expired.',
      headers: { 'www-authenticate': 'Bearer realm="headroom", error="invalid_token"' },
    });
  });

  it.each([
    ['of its session', { kind: 'session', sessionId: 'session' }],
    ['of all sessions of its user', { kind: 'user', userId: 17, generation: 2 }],
  ] as const)('refuses a token it knows at once after the end %s', async (_what, revoked) => {
    const headers = { authorization: `Bearer ${await accessTokens.issue(subject)}` };
    await authenticator.authenticate(headers, here);
    revocations.add(revoked);

    expect(() => authenticator.authenticate(headers, here)).toThrow(/has been ended/);
    await expect(authenticator.authenticate(headers, here)).rejects.toThrow(/has been ended/);
  });

  it("does not mind the end of what is not the token's", async () => {
    const headers = { authorization: `Bearer ${await accessTokens.issue(subject)}` };
    await authenticator.authenticate(headers, here);
    revocations.add({ kind: 'session', sessionId: 'another' });
    revocations.add({ kind: 'user', userId: 18, generation: 9 });
    revocations.add({ kind: 'user', userId: 17, generation: 1 });
    revocations.add({ kind: 'api-key', apiKeyId: 17 });

    expect(authenticator.authenticate(headers, here)).toMatchObject({ kind: 'user', userId: 17 });
  });

  it('looks a key up once for all who come with it, and knows it at once from then on', async () => {
    const headers = { 'x-api-key': apiKey };

    const first = await Promise.all(
      Array.from({ length: 20 }, () => authenticator.authenticate(headers, here)),
    );
    expect(new Set(first.map((identity) => JSON.stringify(identity))).size).toBe(1);
    expect(authenticator.authenticate(headers, here)).toEqual(keyIdentity);
    expect(keys.asked).toEqual(['reader']);
    expect(uses.length).toBeGreaterThan(0);
  });

  it('asks the writer about a key that the reader does not know yet', async () => {
    keys.reader = null;

    expect(await authenticator.authenticate({ 'x-api-key': apiKey }, here)).toEqual(keyIdentity);
    expect(keys.asked).toEqual(['reader', 'writer']);
  });

  it('asks the writer about few of many keys that are made up at many addresses, and about none twice in a row', async () => {
    keys.reader = null;
    keys.writer = null;
    const made = Array.from({ length: 100 }, () => createApiKeyText());

    for (let times = 0; times < 2; times += 1) {
      const outcomes = await Promise.allSettled(
        made.map(async (key) => await authenticator.authenticate({ 'x-api-key': key }, key)),
      );
      expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    }

    expect(keys.asked.filter((on) => on === 'reader')).toHaveLength(100);
    expect(keys.asked.filter((on) => on === 'writer').length).toBeLessThanOrEqual(4);
  });

  it('looks up few keys that one address makes up, and refuses the others before it asks the database', async () => {
    const known = { 'x-api-key': apiKey };
    await authenticator.authenticate(known, here);
    keys.reader = null;
    keys.writer = null;
    keys.asked = [];
    const guess = async () =>
      await authenticator.authenticate({ 'x-api-key': createApiKeyText() }, here);

    const atOnce = await Promise.allSettled(Array.from({ length: 50 }, guess));
    const afterwards = await Promise.allSettled(Array.from({ length: 50 }, guess));

    const refused = [...atOnce, ...afterwards].filter(
      (outcome) => outcome.status === 'rejected' && outcome.reason instanceof RateLimitExceeded,
    );
    expect(refused).toHaveLength(100 - unknownKeys.limit);
    expect(keys.asked.filter((on) => on === 'reader')).toHaveLength(unknownKeys.limit);
    // Neither a key that was good before nor another address suffers from it.
    expect(await authenticator.authenticate(known, here)).toEqual(keyIdentity);
    const elsewhere = { 'x-api-key': createApiKeyText() };
    await expect(authenticator.authenticate(elsewhere, '192.0.2.2')).rejects.toThrow(/API key/);
    advance(1_000 * unknownKeys.windowSeconds);
    await expect(guess()).rejects.toThrow(/API key/);
  });

  it('takes an access token or an API key, not both', () => {
    const both = { authorization: 'Bearer x', 'x-api-key': apiKey };

    expect(() => authenticator.authenticate(both, here)).toThrow(
      'Send an access token or an API key; the request has both.',
    );
  });

  it('looks nowhere for what has no checksum', () => {
    const mistyped = apiKey.slice(0, -1) + (apiKey.endsWith('x') ? 'y' : 'x');

    expect(() => authenticator.authenticate({ 'x-api-key': mistyped }, here)).toThrow(/API key/);
    expect(keys.asked).toEqual([]);
  });

  it('refuses a revoked key at once, also when a reader still has it or no database answers', async () => {
    const headers = { 'x-api-key': apiKey };
    await authenticator.authenticate(headers, here);
    revocations.add({ kind: 'api-key', apiKeyId: 5 });

    expect(() => authenticator.authenticate(headers, here)).toThrow(/API key/);
    advance(61_000);
    await expect(authenticator.authenticate(headers, here)).rejects.toMatchObject({
      slug: 'invalid-api-key',
    });
    keys.isUp = false;
    advance(130_000);
    await expect(authenticator.authenticate(headers, here)).rejects.toBeInstanceOf(
      DatabaseUnavailable,
    );
  });

  it('takes what has become of the owner from the writer, when a reader is behind', async () => {
    const headers = { 'x-api-key': apiKey };
    await authenticator.authenticate(headers, here);
    keys.writer = { ...grant, generation: 2, role: 'admin' };
    revocations.add({ kind: 'user', userId: 17, generation: 2 });

    expect(await authenticator.authenticate(headers, here)).toEqual({
      ...keyIdentity,
      role: 'admin',
    });
    expect(keys.asked).toEqual(['reader', 'reader', 'writer']);
    keys.writer = { ...grant, generation: 3, status: 'suspended' };
    revocations.add({ kind: 'user', userId: 17, generation: 3 });
    await expect(authenticator.authenticate(headers, here)).rejects.toMatchObject({
      slug: 'invalid-api-key',
    });
  });

  it('does not take one key for another that a client sends twice', () => {
    const twice = () => authenticator.authenticate({ 'x-api-key': [apiKey, apiKey] }, here);
    expect(twice).toThrow('The API key is not good, or not any more.');
    expect(twice).toThrow(
      expect.objectContaining({ headers: { 'www-authenticate': 'Bearer realm="headroom"' } }),
    );
    expect(() =>
      authenticator.authenticate({ 'x-api-key': `${apiKey}, ${apiKey}` }, here),
    ).toThrow();
  });
});
