import { z } from 'zod';
import { ACCESS_TOKEN_LIFETIME_SECONDS, CLOCK_TOLERANCE_SECONDS } from './lifetime.ts';

/**
 * ES256 is the one asymmetric algorithm that every verifier has and FIPS 186-5 approves. Ed25519 takes as long here (133 µs to verify), but
 * has two
 * names since RFC 9864.
 */
export const SIGNING_ALGORITHM = 'ES256';

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

export const signingKey = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  alg: z.literal(SIGNING_ALGORITHM),
  use: z.literal('sig'),
  kid: z.string().regex(/^[\w.-]{1,64}$/),
  x: coordinate,
  y: coordinate,
  d: coordinate,
  /** RFC 3339 in UTC. Until then the key is published and verifies, but does not sign. */
  activeFrom: z.iso.datetime(),
});
export type SigningKey = z.infer<typeof signingKey>;

/**
 * Current, coming and former signing keys. The one with the latest past `activeFrom` signs. Coming ones verify too, because processes do not
 * switch
 * at the same instant; former ones until their last token has expired.
 */
export const signingKeySet = z.strictObject({
  keys: z
    .array(signingKey)
    .min(1)
    .max(10)
    .refine((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length, {
      error: 'two keys have the same kid',
    })
    .refine((keys) => new Set(keys.map((key) => Date.parse(key.activeFrom))).size === keys.length, {
      error: 'two keys have the same activeFrom',
    }),
});
export type SigningKeySet = z.infer<typeof signingKeySet>;

/** The key set is invalid; the message holds nothing secret. */
export class UnusableSigningKeys extends Error {
  override readonly name = 'UnusableSigningKeys';
}

/**
 * Parses a key set from the environment.
 *
 * @throws {@link UnusableSigningKeys}, without quoting the text: it holds private keys.
 */
export function parseSigningKeySet(text: string): SigningKeySet {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UnusableSigningKeys(
      'ACCESS_TOKEN_KEYS is not JSON. Make it with `npm run administer -- create-signing-keys`.',
    );
  }
  const parsed = signingKeySet.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map((issue) => {
    const place = issue.path.join('.');
    return place === '' ? issue.code : place;
  });
  throw new UnusableSigningKeys(
    `ACCESS_TOKEN_KEYS is not a set of ES256 keys with kid and activeFrom; wrong at: ${places.join(', ')}.`,
  );
}

export interface ScheduledKey {
  readonly key: SigningKey;
  readonly signsFrom: number;
  /** When the last token that it may have signed has expired; never, for the last key. */
  readonly verifiesUntil: number;
}

export function scheduleOf(set: SigningKeySet): readonly ScheduledKey[] {
  const keys = set.keys
    .map((key) => ({ key, signsFrom: Date.parse(key.activeFrom) }))
    .sort((first, second) => first.signsFrom - second.signsFrom);
  return keys.map((scheduled, index) => {
    const successor = keys[index + 1];
    const verifiesUntil =
      successor === undefined
        ? Number.POSITIVE_INFINITY
        : successor.signsFrom +
          1_000 * (ACCESS_TOKEN_LIFETIME_SECONDS + 2 * CLOCK_TOLERANCE_SECONDS);
    return { ...scheduled, verifiesUntil };
  });
}
