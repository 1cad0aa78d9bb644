import { createHash } from 'node:crypto';
import { COMMON_PASSWORD_DIGESTS } from './common-password-digests.ts';

const DIGEST_BYTES = 6;
/** In base64, which has no padding here. */
const DIGEST_CHARACTERS = 8;

/**
 * Whether `password` is one of the common passwords that are long enough to be taken, without regard to case: the 9,728 of at least
 * 15 characters among the first million of Mark Burnett's list of leaked ones (`10-million-password-list-top-1000000.txt` in
 * SecLists; in the public domain). Kept as the first 6 bytes of the SHA-256 of each in lower case and NFC, because they were
 * people's own, and many are obscene. Of other passwords, less than one in 10^10 is taken for one of them.
 */
export function isCommonPassword(password: string): boolean {
  const text = password.normalize('NFC').toLowerCase();
  const digest = createHash('sha256').update(text).digest().toString('base64', 0, DIGEST_BYTES);
  return COMMON_PASSWORD_DIGESTS.indexOf(digest) % DIGEST_CHARACTERS === 0;
}
