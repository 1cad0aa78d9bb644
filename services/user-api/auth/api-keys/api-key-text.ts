import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * An API key: `hrk_`, 256 random bits, and a checksum of both, the last two in base62. In the manner of GitHub's tokens: a prefix that a
 * scanner of leaked secrets can look for, a checksum by which it (and we, without a look into the database) can tell a key from
 * a likeness of one, and letters and digits only, so that a double click selects it whole.
 * https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
 */
const PREFIX = 'hrk_';
const RANDOM_BYTES = 32;
const RANDOM_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const KEY = new RegExp(`^${PREFIX}[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`);
/** The key's beginning that its owner is shown: 8 characters of it leave 208 bits to guess. */
const SHOWN_LENGTH = PREFIX.length + 8;
/** For a scanner of leaked secrets; what it finds, the checksum confirms. */
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

/** Whether `text` has the form and the checksum of a key; not whether there is such a key. */
export function isApiKeyText(text: string): boolean {
  if (!KEY.test(text)) return false;
  return checksumOf(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH);
}

/** How a key is shown to tell which it is. */
export function apiKeyPrefix(key: string): string {
  return key.slice(0, SHOWN_LENGTH);
}

/**
 * What is stored of a key, in base64url. SHA-256 is enough, and no salt: passwords need a slow hash because they can be guessed; 256
 * random bits cannot, and a slow one would cost each request what a login costs.
 */
export function apiKeyHash(key: string): string {
  return hash('sha256', key, 'base64url');
}
