import { createHash } from 'node:crypto';
import { COMMON_PASSWORD_DIGESTS } from './common-password-digests.ts';

const DIGEST_BYTES = 6;

function digestOf(password: string): Buffer {
  const text = password.normalize('NFC').toLowerCase();
  return createHash('sha256').update(text).digest().subarray(0, DIGEST_BYTES);
}

/**
 * The common passwords that are long enough to be taken: the 9,728 of at least 15 characters among the first million of Mark
 * Burnett's list of leaked ones (`10-million-password-list-top-1000000.txt` in SecLists; in the public domain). Kept as the first 6
 * bytes of the SHA-256 of each in lower case and NFC, because they were people's own, and many are obscene. Of other
 * passwords, less than one in 10^10 is taken for one of them.
 */
export class CommonPasswords {
  readonly #digests = Buffer.from(COMMON_PASSWORD_DIGESTS, 'base64');

  /** Whether `password` is one of them, without regard to case. */
  has(password: string): boolean {
    const wanted = digestOf(password);
    let low = 0;
    let high = this.#digests.length / DIGEST_BYTES;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const start = middle * DIGEST_BYTES;
      const order = wanted.compare(this.#digests, start, start + DIGEST_BYTES);
      if (order === 0) return true;
      if (order > 0) low = middle + 1;
      else high = middle;
    }
    return false;
  }
}
