import { hkdfSync } from 'node:crypto';

/** What keys are derived for; each has another one, so that none can be used in the place of another. */
export type KeyPurpose = 'access-token' | 'cursor' | 'idempotency' | 'rate-limit';

/**
 * Derives the key for one purpose from SERVICE_SECRET, by HKDF with SHA-256 (RFC 5869). All processes with the same secret derive the same.
 *
 * @param length - in bytes. @default 32
 */
export function deriveKey(secret: string, purpose: KeyPurpose, length = 32): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `headroom user-api ${purpose}`, length));
}
