import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import { AccessTokens } from '../../../../services/user-api/auth/tokens/access-tokens.ts';
import { deriveSigningKeySet } from '../../../../services/user-api/auth/tokens/derived-signing-keys.ts';
import { KeyRing } from '../../../../services/user-api/auth/tokens/key-ring.ts';
import {
  createSigningKeySet,
  rotateSigningKeys,
} from '../../../../services/user-api/auth/tokens/key-rotation.ts';
import {
  parseSigningKeySet,
  type SigningKeySet,
  UnusableSigningKeys,
} from '../../../../services/user-api/auth/tokens/signing-keys.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 10, 21, 12);
const LEAD_SECONDS = 3_600;
const subject = {
  userId: 1,
  role: 'user',
  sessionId: 'session',
  generation: 0,
  authenticatedAt: 0,
} as const;

/** A process with one key set, under a clock that the test moves. */
async function startProcess(set: SigningKeySet, clock: { now: number }) {
  const keys = await KeyRing.open(set, clock.now);
  return new AccessTokens({ keys, issuer: 'https://a.test', audience: 'a', now: () => clock.now });
}

const isGood = async (tokens: AccessTokens, token: string) =>
  typeof (await tokens.verify(token)) !== 'string';

describe('rotateSigningKeys', () => {
  it('refuses no token on the way from one key to the next, in processes with the old and with the new set', async () => {
    const clock = { now: START };
    const before = await createSigningKeySet(START);
    const after = await rotateSigningKeys(before, START, LEAD_SECONDS);
    const old = await startProcess(before, clock);
    const renewed = [await startProcess(after, clock), await startProcess(after, clock)];
    const issued: { token: string; at: number }[] = [];

    // Some processes have the new set at once, all have it before it takes over.
    for (clock.now = START; clock.now < START + 2 * HOUR; clock.now += 2 * MINUTE) {
      const deployed = clock.now >= START + HOUR / 2;
      const processes = deployed ? renewed : [old, ...renewed];
      for (const process of processes) {
        issued.push({ token: await process.issue(subject), at: clock.now });
      }
      for (const { at, token } of issued.slice(-18)) {
        if (clock.now - at >= 600_000) continue;
        for (const process of processes) expect(await isGood(process, token)).toBe(true);
      }
    }
  });

  it('has the next key published before it signs, and the former one gone after its last token', async () => {
    const before = await createSigningKeySet(START);
    const after = await rotateSigningKeys(before, START, LEAD_SECONDS);
    const ring = await KeyRing.open(after, START);
    const [first, second] = after.keys;
    const takeover = START + HOUR;
    const published = (now: number) => ring.published(now).map(({ kid }) => kid);

    expect(published(START)).toEqual([first?.kid, second?.kid]);
    expect(ring.signer(takeover - 1).kid).toBe(first?.kid);
    expect(ring.signer(takeover).kid).toBe(second?.kid);
    expect(published(takeover + 10 * MINUTE)).toEqual([first?.kid, second?.kid]);
    expect(published(takeover + 11 * MINUTE)).toEqual([second?.kid]);
    expect(ring.verifier(first?.kid ?? '', takeover + 11 * MINUTE)).toBeUndefined();
  });

  it('does not depend on the order of the keys in the set', async () => {
    const { keys } = await rotateSigningKeys(await createSigningKeySet(START), START, LEAD_SECONDS);
    const ring = await KeyRing.open({ keys: keys.toReversed() }, START);

    expect(ring.signer(START).kid).toBe(keys[0]?.kid);
    expect(ring.signer(START + HOUR).kid).toBe(keys[1]?.kid);
    expect(ring.published(START + 11 * MINUTE + HOUR).map(({ kid }) => kid)).toEqual([
      keys[1]?.kid,
    ]);
  });

  it('drops keys that are of no more use, so that a set never grows', async () => {
    let set = await createSigningKeySet(START);
    for (let month = 1; month <= 12; month += 1) {
      set = await rotateSigningKeys(set, START + month * 30 * 24 * HOUR, LEAD_SECONDS);
      expect(set.keys.length).toBe(2);
    }
  });

  it('does not begin a second rotation while the first is in flight', async () => {
    const after = await rotateSigningKeys(await createSigningKeySet(START), START, LEAD_SECONDS);

    await expect(rotateSigningKeys(after, START + MINUTE, LEAD_SECONDS)).rejects.toThrow(
      /on its way already: it signs from 2026-11-21T13:00:00.000Z/,
    );
  });

  it('is undone by a new set when a key has leaked: its tokens are nothing from then on', async () => {
    const clock = { now: START };
    const leaked = await startProcess(await createSigningKeySet(START), clock);
    const replaced = await startProcess(await createSigningKeySet(START), clock);

    expect(await isGood(replaced, await leaked.issue(subject))).toBe(false);
  });
});

describe('deriveSigningKeySet', () => {
  const secret = 'a secret of tests, with enough characters';

  it('gives all processes with one secret the same key, also after an update', () => {
    expect(deriveSigningKeySet(secret).keys).toEqual([
      {
        kty: 'EC',
        crv: 'P-256',
        alg: 'ES256',
        use: 'sig',
        kid: 'q1OpTluDpYfAU4GwgX8XTP8cmie6Ft4Eirx7GpWxHSQ',
        x: 'tjnuE1PcIGT6hLecM7S3SjNC6CoWjwp-rANrwv5ZcwM',
        y: 'hmJsA3FC9lqqo5Q5hmGTp1WDScFDOs8leMaQ-TCZfkE',
        d: 'a2al3lAzp5c61cgayVtHPxC5Cl1zhFZtXvy3pRzhlbY',
        activeFrom: '1970-01-01T00:00:00.000Z',
      },
    ]);
  });

  it('names the key by its thumbprint, and another secret gives another key that is usable', async () => {
    // The number of the last one begins with a byte of zero.
    for (const index of [0, 1, 2, 123]) {
      const [key] = deriveSigningKeySet(`${secret} ${index}`).keys;
      if (key === undefined) throw new Error('no key');
      const { kty, crv, x, y, kid } = key;
      expect(await calculateJwkThumbprint({ kty, crv, x, y })).toBe(kid);
      const tokens = await startProcess({ keys: [key] }, { now: START });
      expect(await isGood(tokens, await tokens.issue(subject))).toBe(true);
    }
  });
});

describe('signing keys', () => {
  const failure = async (make: () => unknown) => {
    try {
      await make();
    } catch (error) {
      if (error instanceof UnusableSigningKeys) return error.message;
      throw error;
    }
    throw new Error('The keys were taken');
  };

  it('are read from what was written', async () => {
    const set = await createSigningKeySet(START);

    expect(parseSigningKeySet(JSON.stringify(set))).toEqual(set);
  });

  it('are refused with what is wrong, and never shown', async () => {
    const set = await createSigningKeySet(START);
    const [key] = set.keys;
    if (key === undefined) throw new Error('no key');
    const other = (await createSigningKeySet(START)).keys[0];
    const texts = [
      'not json',
      '{}',
      '{"keys":[]}',
      JSON.stringify({ keys: [{ ...key, alg: 'HS256' }] }),
      JSON.stringify({ keys: [{ ...key, d: undefined }] }),
      JSON.stringify({ keys: [{ ...key, activeFrom: 'soon' }] }),
      JSON.stringify({ keys: [{ ...key, kid: '../x' }] }),
      JSON.stringify({ keys: [key, { ...key, activeFrom: '2030-01-01T00:00:00Z' }] }),
      JSON.stringify({ keys: [key, { ...other, activeFrom: key.activeFrom }] }),
      JSON.stringify({ keys: [{ ...key, note: 'x' }] }),
    ];

    for (const text of texts) {
      const message = await failure(() => parseSigningKeySet(text));
      expect(message).toContain('ACCESS_TOKEN_KEYS');
      expect(message).not.toContain(key.d);
    }
    const [syntax, , empty, ...wrong] = await Promise.all(
      texts.map((text) => failure(() => parseSigningKeySet(text))),
    );
    expect(syntax).toMatch(
      /is not JSON\. Make it with `npm run administer -- create-signing-keys`/,
    );
    expect(empty).toMatch(/not a set of ES256 keys with kid and activeFrom; wrong at: keys\.$/);
    expect(wrong[0]).toMatch(/wrong at: keys\.0\.alg\.$/);
    expect(await failure(() => parseSigningKeySet('[]'))).toMatch(/wrong at: invalid_type\.$/);
    const twoWrong = JSON.stringify({ keys: [{ ...key, alg: 'HS256', x: '' }] });
    expect(await failure(() => parseSigningKeySet(twoWrong))).toMatch(
      /at: keys\.0\.alg, keys\.0\.x/,
    );
  });

  it('are refused when a point and its number do not belong together, or none is active yet', async () => {
    const [first, second] = [await createSigningKeySet(START), await createSigningKeySet(START)];
    const mixed = {
      keys: first.keys.map((key) => ({ ...key, y: second.keys[0]?.y ?? '' })),
    };
    const halves = {
      keys: first.keys.map((key) => ({ ...key, d: second.keys[0]?.d ?? '' })),
    };

    expect(await failure(() => KeyRing.open(mixed, START))).toMatch(/is not a point on P-256/);
    const kid = first.keys[0]?.kid;
    expect(await failure(() => KeyRing.open(halves, START))).toBe(
      `ACCESS_TOKEN_KEYS: the key ${kid} is not a point on P-256 (x, y) with its private half (d).`,
    );
    expect(await failure(() => KeyRing.open(first, START - 1))).toMatch(/no key is active yet/);
  });
});
