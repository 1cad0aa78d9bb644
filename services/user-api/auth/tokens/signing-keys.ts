import { z } from 'zod';
import { ACCESS_TOKEN_LIFETIME_SECONDS, CLOCK_TOLERANCE_SECONDS } from './lifetime.ts';

/**
 * How access tokens are signed. ES256 is the one asymmetric algorithm that every verifier has and that FIPS 186-5 approves;
 * Ed25519 is as fast here (133 µs to verify, either way), but goes by two names since RFC 9864.
 */
export const SIGNING_ALGORITHM = 'ES256';

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** One key: a JWK (RFC 7517) on the curve P-256, and from when on it signs. */
export const signingKey = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  alg: z.literal(SIGNING_ALGORITHM),
  use: z.literal('sig'),
  kid: z.string().regex(/^[\w.-]{1,64}$/),
  x: coordinate,
  y: coordinate,
  /** The private half. */
  d: coordinate,
  /** RFC 3339 in UTC. Until then the key is only published and verified with. */
  activeFrom: z.iso.datetime(),
});
export type SigningKey = z.infer<typeof signingKey>;

/**
 * The keys that this API signs with, will sign with, or has signed with. The one with the latest `activeFrom` that is past signs.
 * Coming ones verify too, because processes don't change over at the same instant; former ones until their last token has ended.
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

/** The keys cannot be used as they are; the message says why and holds nothing secret. */
export class UnusableSigningKeys extends Error {
  override readonly name = 'UnusableSigningKeys';
}

/**
 * Parses the text of a key set, as the environment holds it.
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

/** A key with the times, in milliseconds since 1970, that follow from its place among the others. */
export interface ScheduledKey {
  readonly key: SigningKey;
  readonly signsFrom: number;
  /** When the last token that it may have signed has ended; never, for the key that signs last. */
  readonly verifiesUntil: number;
}

/** The keys in the order in which they sign. */
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
