import { hash, randomBytes } from 'node:crypto';

/**
 * Lifetime of a password reset from its sending: long enough to find the email, short enough that a mailbox read later holds no valid link.
 * (NIST
 * SP 800-63B-4, 4.2 allows 24 hours for secrets sent by email.)
 */
export const PASSWORD_RESET_LIFETIME_SECONDS = 30 * 60;
/** How long after the request its email may still be sent; later, the user has repeated the request or given up. */
export const PASSWORD_RESET_SEND_SECONDS = 24 * 60 * 60;

const PREFIX = 'hrp_';
const SECRET_BYTES = 32;

/** 256 random bits. */
export function createPasswordResetToken(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
}

/** The stored hash, in base64url: 256 random bits need no salt and no slow hash. */
export function hashPasswordResetToken(token: string): string {
  return hash('sha256', token, 'base64url');
}
