import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tokens } from '../../../../services/contracts/authentication.ts';
import { environmentVariables } from '../../../../services/contracts/environment/variables.ts';
import {
  createSigningKeySet,
  rotateSigningKeys,
} from '../../../../services/user-api/auth/tokens/key-rotation.ts';
import type { SigningKeySet } from '../../../../services/user-api/auth/tokens/signing-keys.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { newUser, startTestApi, type TestApi } from '../support/api.ts';

const PASSWORD = 'a pass phrase of some length';
/** Much shorter than a deployment takes: what is tested does not depend on it. */
const LEAD_SECONDS = 2;

describe('a rotation of the keys of access tokens, over HTTP', () => {
  let database: TestDatabase;
  let rotated: SigningKeySet;
  /** Of the deployment before, with the former key alone. */
  let old: TestApi;
  let processes: TestApi[];

  beforeAll(async () => {
    database = await createMigratedDatabase();
    const before = await createSigningKeySet(Date.now() - 1_000);
    rotated = await rotateSigningKeys(before, Date.now(), LEAD_SECONDS);
    const start = (set: SigningKeySet) =>
      startTestApi({ database, environment: { ACCESS_TOKEN_KEYS: JSON.stringify(set) } });
    old = await start(before);
    processes = await Promise.all([1, 2].map(() => start(rotated)));
  });
  afterAll(async () => {
    await Promise.all([old, ...processes].map((each) => each.stop()));
    await database.drop();
  });

  it('refuses no token, of the former key or of the new one, and others verify both with what is published', async () => {
    const [first, second] = processes as [TestApi, TestApi];
    const [former, coming] = rotated.keys;
    const { email } = newUser();
    await first.call('POST', '/api/v1/users', {
      body: { name: 'Ada', email, password: PASSWORD },
    });
    const login = async (on: TestApi) =>
      (await on.call<Tokens>('POST', '/api/v1/auth/login', { body: { email, password: PASSWORD } }))
        .body.accessToken;
    const keyOf = (token: string) => decodeProtectedHeader(token).kid;

    // What a process beside this API keeps from before the new key signs.
    const published = createRemoteJWKSet(new URL(`${second.url}/.well-known/jwks.json`));
    const before = await login(old);
    expect(keyOf(before)).toBe(former?.kid);
    await jwtVerify(before, published);
    await expect
      .poll(async () => keyOf(await login(second)), { timeout: 20_000, interval: 250 })
      .toBe(coming?.kid);
    const after = await login(first);

    expect(keyOf(after)).toBe(coming?.kid);
    for (const token of [before, after]) {
      for (const process of processes) {
        const headers = { authorization: `Bearer ${token}` };
        expect((await process.call('GET', '/api/v1/auth/me', { headers })).status).toBe(200);
      }
      const { payload } = await jwtVerify(token, published, {
        typ: 'at+jwt',
        algorithms: ['ES256'],
        issuer: environmentVariables.ACCESS_TOKEN_ISSUER.type.parse(undefined),
        audience: environmentVariables.ACCESS_TOKEN_AUDIENCE.type.parse(undefined),
      });
      expect(payload.auth_time).toBeLessThanOrEqual(payload.iat ?? 0);
    }
  });

  it('publishes no private half', async () => {
    const { body, headers, text } = await (processes[0] as TestApi).call<{
      keys: Record<string, string>[];
    }>('GET', '/.well-known/jwks.json');

    expect(headers.get('content-type')).toBe('application/jwk-set+json');
    expect(body.keys.map(({ kid }) => kid)).toEqual(rotated.keys.map(({ kid }) => kid));
    for (const { d } of rotated.keys) expect(text).not.toContain(d);
    for (const key of body.keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    }
  });
});
