import { createHmac, hash, randomBytes } from 'node:crypto';

/**
 * A refresh token: `hrr_<user id>.<family>.<secret>`. Family and secret are random; each refresh keeps the family and changes the secret. Only
 * holders of a token of the session know the family: its hash is the session's public id.
 */
export interface RefreshToken {
  readonly userId: number;
  /** 128 bits in base64url. */
  readonly family: string;
  /** 256 bits in base64url. */
  readonly secret: string;
}

const PREFIX = 'hrr_';
const FAMILY_BYTES = 16;
const SECRET_BYTES = 32;
const TOKEN = /^hrr_([1-9]\d{0,15})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;
const SESSION_ID_LENGTH = 22;

export function createRefreshToken(userId: number): RefreshToken {
  return {
    userId,
    family: randomBytes(FAMILY_BYTES).toString('base64url'),
    secret: randomBytes(SECRET_BYTES).toString('base64url'),
  };
}

export function formatRefreshToken({ userId, family, secret }: RefreshToken): string {
  return `${PREFIX}${userId}.${family}.${secret}`;
}

/** @returns null for malformed text. */
export function parseRefreshToken(text: string): RefreshToken | null {
  const [, userId, family, secret] = TOKEN.exec(text) ?? [];
  if (userId === undefined || family === undefined || secret === undefined) return null;
  return Number.isSafeInteger(Number(userId)) ? { userId: Number(userId), family, secret } : null;
}

/** The session's public id: a one-way hash of the family. */
export function sessionIdOf({ family }: RefreshToken): string {
  return hash('sha256', family, 'base64url').slice(0, SESSION_ID_LENGTH);
}

/** The stored hash: 256 random bits need no salt and no slow hash. */
export function refreshTokenHash({ secret }: RefreshToken): string {
  return hash('sha256', secret, 'base64url');
}

export function createSuccessorSalt(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/**
 * The token that follows `token`, derived from it and a salt in the store: the same token, sent twice, gets the same successor, and the store
 * holds
 * no usable secret.
 */
export function successorOf(token: RefreshToken, salt: string): RefreshToken {
  const secret = createHmac('sha256', token.secret).update(salt).digest('base64url');
  return { ...token, secret };
}
