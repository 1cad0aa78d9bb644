import { hash, randomBytes } from 'node:crypto';

/**
 * How long the link in an email is good for, from when it is sent: long enough to find the email, short enough that a mailbox
 * that is read later does not hold a key. (NIST SP 800-63B-4, 4.2 allows 24 hours for what is sent by email.)
 */
export const PASSWORD_RESET_LIFETIME_SECONDS = 30 * 60;
/** How long after the request an email may still be sent; after that, whoever asked has asked again or given up. */
export const PASSWORD_RESET_SEND_SECONDS = 24 * 60 * 60;

const PREFIX = 'hrp_';
const SECRET_BYTES = 32;

/** A new secret for a link: 256 random bits. */
export function createPasswordResetToken(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
}

/** What is stored of it, in base64url: random bits in that number need no salt and no slow hash. */
export function hashPasswordResetToken(token: string): string {
  return hash('sha256', token, 'base64url');
}
