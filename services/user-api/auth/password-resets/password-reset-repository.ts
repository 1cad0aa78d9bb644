import type { DatabaseRouter } from '../../database/router.ts';
import {
  insertPasswordReset,
  type PasswordResetRequest,
  type ResetOwnerRow,
  selectResetOwner,
  type UsedResetRow,
  usePasswordReset,
} from './password-reset-statements.ts';

export type ResetOwner = ResetOwnerRow;
export type UsedReset = UsedResetRow;

/** Password resets in PostgreSQL. All methods throw `DatabaseUnavailable` when the writer is down. */
export class PasswordResetRepository {
  readonly #router: DatabaseRouter;

  constructor(router: DatabaseRouter) {
    this.#router = router;
  }

  /**
   * Writes a request and, in the same transaction, the event `user.password-reset-requested` to the outbox.
   *
   * @returns the time of the request, RFC 3339 in UTC.
   */
  async request(request: PasswordResetRequest): Promise<string> {
    const [row] = await this.#router.write((sql) => insertPasswordReset(sql, request));
    if (row === undefined) throw new Error('An insert returned no row');
    return new Date(row.requestedAt).toISOString();
  }

  /** @returns null when the secret is not valid. */
  async findOwner(tokenHash: string): Promise<ResetOwner | null> {
    const [row] = await this.#router.readNewest((sql) => selectResetOwner(sql, tokenHash));
    return row ?? null;
  }

  /**
   * Uses a secret up for a new password, which revokes all sessions.
   *
   * @returns null when the secret is not valid.
   */
  async use(
    tokenHash: string,
    passwordHash: string,
    keepApiKeys: boolean,
  ): Promise<UsedReset | null> {
    const [row] = await this.#router.write((sql) =>
      usePasswordReset(sql, tokenHash, passwordHash, keepApiKeys),
    );
    return row ?? null;
  }
}
