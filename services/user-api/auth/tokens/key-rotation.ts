import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { ROTATION_LEAD_SECONDS } from './lifetime.ts';
import {
  SIGNING_ALGORITHM,
  type SigningKey,
  type SigningKeySet,
  scheduleOf,
  signingKey,
  UnusableSigningKeys,
} from './signing-keys.ts';

const KEY_ID_BYTES = 8;

async function createSigningKey(signsFrom: number): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
  return signingKey.parse({
    ...(await exportJWK(privateKey)),
    alg: SIGNING_ALGORITHM,
    use: 'sig',
    kid: randomBytes(KEY_ID_BYTES).toString('base64url'),
    activeFrom: new Date(signsFrom).toISOString(),
  });
}

/**
 * One new key, active at once; as JSON it is the value of ACCESS_TOKEN_KEYS. For a first start, or after a private key has leaked: replacing
 * the
 * keys ends all access tokens, and clients refresh.
 *
 * @param now - milliseconds since 1970.
 */
export async function createSigningKeySet(now: number = Date.now()): Promise<SigningKeySet> {
  return { keys: [await createSigningKey(now)] };
}

/**
 * The next key set: the keys of `set` whose tokens may still be valid, and a new one that signs after the lead. Deploy it to every process
 * before
 * that; all then switch by the clock, and no token is refused.
 *
 * @param now - milliseconds since 1970.
 * @param leadSeconds - how long until the new key signs.
 * @throws {@link UnusableSigningKeys} when a key is coming already.
 */
export async function rotateSigningKeys(
  set: SigningKeySet,
  now: number = Date.now(),
  leadSeconds: number = ROTATION_LEAD_SECONDS,
): Promise<SigningKeySet> {
  const schedule = scheduleOf(set);
  const coming = schedule.find(({ signsFrom }) => signsFrom > now);
  if (coming !== undefined) {
    throw new UnusableSigningKeys(
      `The key ${coming.key.kid} is on its way already: it signs from ${coming.key.activeFrom}. Rotate after that.`,
    );
  }
  const needed = schedule.filter(({ verifiesUntil }) => now < verifiesUntil).map(({ key }) => key);
  return { keys: [...needed, await createSigningKey(now + 1_000 * leadSeconds)] };
}
