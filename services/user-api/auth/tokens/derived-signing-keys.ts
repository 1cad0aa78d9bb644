import { createECDH, hash } from 'node:crypto';
import { deriveKey } from '../../secrets/derived-key.ts';
import { SIGNING_ALGORITHM, type SigningKeySet, signingKeySet } from './signing-keys.ts';

/** Order of the group of P-256 (FIPS 186-5 names it n; SP 800-186, 3.2.1.3). */
const GROUP_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
/** 64 bits more than the order has, which makes the bias of the remainder negligible (FIPS 186-5, A.2.1). */
const DERIVED_BYTES = 40;
const COORDINATE_BYTES = 32;

/**
 * The default key set: one key, derived from SERVICE_SECRET, so that a first deployment needs no key. To rotate it without ending logins, set
 * ACCESS_TOKEN_KEYS to its `rotateSigningKeys`.
 */
export function deriveSigningKeySet(serviceSecret: string): SigningKeySet {
  const derived = deriveKey(serviceSecret, 'access-token', DERIVED_BYTES).toString('hex');
  const scalar = (BigInt(`0x${derived}`) % (GROUP_ORDER - 1n)) + 1n;
  const privateKey = Buffer.from(scalar.toString(16).padStart(2 * COORDINATE_BYTES, '0'), 'hex');
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(privateKey);
  // 0x04, then both coordinates (SEC 1, 2.3.3).
  const point = curve.getPublicKey();
  const x = point.subarray(1, 1 + COORDINATE_BYTES).toString('base64url');
  const y = point.subarray(1 + COORDINATE_BYTES).toString('base64url');
  return signingKeySet.parse({
    keys: [
      {
        kty: 'EC',
        crv: 'P-256',
        alg: SIGNING_ALGORITHM,
        use: 'sig',
        // The thumbprint of RFC 7638.
        kid: hash('sha256', JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }), 'base64url'),
        x,
        y,
        d: privateKey.toString('base64url'),
        activeFrom: new Date(0).toISOString(),
      },
    ],
  });
}
