import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * An API key: `hrk_`, 256 random bits, and a checksum of both in base62. As in GitHub's tokens, scanners of leaked secrets find the prefix,
 * the
 * checksum rejects look-alikes without a query, and a double click selects it whole.
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
const PREFIX = 'hrk_';
const RANDOM_BYTES = 32;
const RANDOM_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const KEY = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`);
/** The prefix shown to the owner: 8 characters of it leave 208 bits to guess. */
const SHOWN_LENGTH = PREFIX.length + 8;
/** For scanners of leaked secrets, which confirm a match by the checksum. */
export const API_KEY_PATTERN = KEY.source.slice(1, -1);

function toBase62(value: bigint, length: number): string {
  let rest = value;
  const digits = Array.from({ length }, () => {
    const digit = ALPHABET.charAt(Number(rest % 62n));
    rest /= 62n;
    return digit;
  });
  return digits.reverse().join('');
}

const checksumOf = (text: string) => toBase62(BigInt(crc32(text)), CHECKSUM_LENGTH);

export function createApiKeyText(): string {
  const random = BigInt(`0x${randomBytes(RANDOM_BYTES).toString('hex')}`);
  const text = PREFIX + toBase62(random, RANDOM_LENGTH);
  return text + checksumOf(text);
}

/** Whether `text` has the form and the checksum of a key; not whether the key exists. */
export function isApiKeyText(text: string): boolean {
  if (!KEY.test(text)) return false;
  return checksumOf(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH);
}

export function apiKeyPrefix(key: string): string {
  return key.slice(0, SHOWN_LENGTH);
}

/** The stored hash, in base64url. Unsalted SHA-256 is enough for 256 random bits, which cannot be guessed as passwords can. */
export function apiKeyHash(key: string): string {
  return hash('sha256', key, 'base64url');
}
