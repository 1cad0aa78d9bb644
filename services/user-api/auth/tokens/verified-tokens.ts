import type { VerifiedToken } from './access-tokens.ts';

/** With {@link HEADER_MAXIMUM_LENGTH}, 15 MB at most. */
const CAPACITY = 10_000;
/** In characters; a header with one of our tokens has about 500. */
const HEADER_MAXIMUM_LENGTH = 1_024;
/** One way to write each token: blanks and other cases of the scheme, which a client may vary, would each take a place. */
const REMEMBERED = /^[Bb]earer [\w.-]+$/;

/**
 * Tokens that have been verified, so that the same one is not verified again with each request of ten minutes: verifying takes
 * 133 µs of another thread, this less than one. Found by the whole `Authorization` header, because a part cut out of it would
 * keep the whole alive. A header that is longer than ours, or written otherwise, is verified each time. The oldest goes when there is no more room; no entry outlives its token.
 */
export class VerifiedTokens {
  readonly #capacity: number;
  readonly #tokens = new Map<string, VerifiedToken>();

  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#tokens.size;
  }

  /** @param now - milliseconds since 1970. */
  get(header: string, now: number): VerifiedToken | undefined {
    const token = this.#tokens.get(header);
    if (token === undefined || now < token.expiresAt) return token;
    this.#tokens.delete(header);
    return undefined;
  }

  add(header: string, token: VerifiedToken): void {
    if (header.length > HEADER_MAXIMUM_LENGTH || !REMEMBERED.test(header)) return;
    if (this.#tokens.size >= this.#capacity) {
      const oldest = this.#tokens.keys().next();
      if (oldest.done !== true) this.#tokens.delete(oldest.value);
    }
    this.#tokens.set(header, token);
  }

  delete(header: string): void {
    this.#tokens.delete(header);
  }
}
