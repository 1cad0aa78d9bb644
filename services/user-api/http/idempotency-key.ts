import { Problem } from './problem.ts';

/** Enough for any UUID, ULID or hash, in whatever spelling. */
export const IDEMPOTENCY_KEY_MAXIMUM_LENGTH = 255;
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/**
 * The key in an `Idempotency-Key` header: a string between quotes, as draft-ietf-httpapi-idempotency-key-header has it, or without
 * them, as most clients send it; both are the same key.
 *
 * @returns null where there is no header.
 * @throws {@link Problem} invalid-idempotency-key
 */
export function parseIdempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  const text = String(header).trim();
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (key.length <= IDEMPOTENCY_KEY_MAXIMUM_LENGTH && VISIBLE_ASCII.test(key)) return key;
  throw new Problem(
    'invalid-idempotency-key',
    `The Idempotency-Key is ${key.length} characters long or holds others than visible ASCII; it takes 1 to ${IDEMPOTENCY_KEY_MAXIMUM_LENGTH} of those, such as a UUID.`,
  );
}
