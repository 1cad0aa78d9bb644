import { z } from 'zod';

export const revocation = z.discriminatedUnion('kind', [
  /** Everything that a user began under a lower generation. */
  z.object({
    kind: z.literal('user'),
    userId: z.int().positive(),
    generation: z.int().nonnegative(),
  }),
  z.object({ kind: z.literal('session'), sessionId: z.string() }),
  z.object({ kind: z.literal('api-key'), apiKeyId: z.int().positive() }),
]);
export type Revocation = z.infer<typeof revocation>;

/** Above the generation of any account: revokes everything of an erased user. */
export const ERASED_GENERATION = 2_147_483_647;

interface Remembered {
  readonly generation: number;
  /** In milliseconds of `performance.now()`. */
  readonly forgetAt: number;
}

/** Revocations known to this process, kept as long as a token issued before can be valid. In memory, because each request reads them. */
export class Revocations {
  readonly #rememberMilliseconds: number;
  /** In order of expiry. */
  readonly #users = new Map<number, Remembered>();
  readonly #sessions = new Map<string, number>();
  readonly #apiKeys = new Map<number, number>();

  /** @param rememberSeconds - longer than the lifetime of any token or cached API key. */
  constructor(rememberSeconds: number) {
    this.#rememberMilliseconds = 1_000 * rememberSeconds;
  }

  get size(): number {
    return this.#users.size + this.#sessions.size + this.#apiKeys.size;
  }

  /** The lowest valid generation of the user. */
  minimumGeneration(userId: number): number {
    return this.#users.get(userId)?.generation ?? 0;
  }

  isSessionRevoked(sessionId: string): boolean {
    return this.#sessions.has(sessionId);
  }

  isApiKeyRevoked(apiKeyId: number): boolean {
    return this.#apiKeys.has(apiKeyId);
  }

  add(revoked: Revocation): void {
    const forgetAt = performance.now() + this.#rememberMilliseconds;
    switch (revoked.kind) {
      case 'user': {
        const { userId } = revoked;
        const generation = Math.max(revoked.generation, this.minimumGeneration(userId));
        moveToEnd(this.#users, userId, { generation, forgetAt });
        break;
      }
      case 'session':
        moveToEnd(this.#sessions, revoked.sessionId, forgetAt);
        break;
      case 'api-key':
        moveToEnd(this.#apiKeys, revoked.apiKeyId, forgetAt);
        break;
    }
  }

  forgetOld(): void {
    const now = performance.now();
    for (const [userId, { forgetAt }] of this.#users) {
      if (forgetAt > now) break;
      this.#users.delete(userId);
    }
    forgetBefore(this.#sessions, now);
    forgetBefore(this.#apiKeys, now);
  }
}

function moveToEnd<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  map.set(key, value);
}

function forgetBefore<Key>(times: Map<Key, number>, now: number): void {
  for (const [key, forgetAt] of times) {
    if (forgetAt > now) break;
    times.delete(key);
  }
}
