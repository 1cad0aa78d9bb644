import type { VerifiedToken } from './access-tokens.ts';

/** About 1 KB each, with the header they are found by: 10 MB at most. */
const CAPACITY = 10_000;

/**
 * Tokens that have been verified, so that the same one is not verified again with each request of ten minutes: verifying takes
 * 133 µs of another thread, this less than one. Found by the whole `Authorization` header, because a part cut out of it would
 * keep the whole alive. The oldest goes when there is no more room; no entry outlives its token.
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
