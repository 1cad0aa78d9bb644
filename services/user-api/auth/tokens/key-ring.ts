import { type CryptoKey, importJWK, type JWK } from 'jose';
import {
  type ScheduledKey,
  SIGNING_ALGORITHM,
  type SigningKey,
  type SigningKeySet,
  scheduleOf,
  UnusableSigningKeys,
} from './signing-keys.ts';

/** A public key (RFC 7517). */
export type PublishedKey = Omit<SigningKey, 'd' | 'activeFrom'>;

interface ImportedKey extends ScheduledKey {
  readonly published: PublishedKey;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

async function importHalf(jwk: JWK): Promise<CryptoKey> {
  const key = await importJWK(jwk, SIGNING_ALGORITHM);
  if (key instanceof Uint8Array) throw new TypeError('A symmetric key');
  return key;
}

async function areHalvesOfOne(publicKey: CryptoKey, privateKey: CryptoKey): Promise<boolean> {
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const text = Buffer.from('any');
  const signature = await crypto.subtle.sign(algorithm, privateKey, text);
  return await crypto.subtle.verify(algorithm, publicKey, signature, text);
}

async function importScheduled(scheduled: ScheduledKey): Promise<ImportedKey> {
  const { d, activeFrom: _, ...published } = scheduled.key;
  try {
    const publicKey = await importHalf(published);
    const privateKey = await importHalf({ ...published, d });
    if (!(await areHalvesOfOne(publicKey, privateKey))) throw new TypeError('Halves of two keys');
    return { ...scheduled, published, publicKey, privateKey };
  } catch {
    // The cause may quote the key.
    throw new UnusableSigningKeys(
      `ACCESS_TOKEN_KEYS: the key ${published.kid} is not a point on P-256 (x, y) with its private half (d).`,
    );
  }
}

/** The keys of access tokens. `activeFrom` alone decides which are in use. */
export class KeyRing {
  readonly #keys: readonly ImportedKey[];
  readonly #byName: ReadonlyMap<string, ImportedKey>;

  private constructor(keys: readonly ImportedKey[]) {
    this.#keys = keys;
    this.#byName = new Map(keys.map((imported) => [imported.key.kid, imported]));
  }

  /** @throws {@link UnusableSigningKeys} when a key is invalid, or none signs yet. */
  static async open(set: SigningKeySet, now: number = Date.now()): Promise<KeyRing> {
    const ring = new KeyRing(await Promise.all(scheduleOf(set).map(importScheduled)));
    ring.signer(now);
    return ring;
  }

  /**
   * @param now - milliseconds since 1970.
   * @throws {@link UnusableSigningKeys} when none signs yet.
   */
  signer(now: number): { readonly kid: string; readonly privateKey: CryptoKey } {
    const signer = this.#keys.findLast(({ signsFrom }) => signsFrom <= now);
    if (signer === undefined) {
      throw new UnusableSigningKeys(
        'ACCESS_TOKEN_KEYS: no key is active yet, the activeFrom of each is in the future. Keep the former key until then.',
      );
    }
    return { kid: signer.key.kid, privateKey: signer.privateKey };
  }

  /** The public key of that name; undefined for unknown and expired ones. */
  verifier(kid: string, now: number): CryptoKey | undefined {
    const imported = this.#byName.get(kid);
    return imported !== undefined && now < imported.verifiesUntil ? imported.publicKey : undefined;
  }

  /** The public keys at `now`, including coming ones, so that verifiers have them before the first token. */
  published(now: number): readonly PublishedKey[] {
    return this.#keys
      .filter(({ verifiesUntil }) => now < verifiesUntil)
      .map(({ published }) => published);
  }
}
