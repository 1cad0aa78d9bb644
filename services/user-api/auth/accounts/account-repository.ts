import type { Role } from '../../../contracts/authentication.ts';
import { DatabaseUnavailable } from '../../database/errors.ts';
import type { DatabaseRouter, Query } from '../../database/router.ts';
import { lastAdministratorError } from '../errors.ts';
import {
  type AccountRow,
  changePasswordHash,
  incrementGeneration,
  type PasswordChange,
  type RevokedRow,
  type RoleChangeRow,
  selectAccountByEmail,
  selectAccountById,
  setRole,
  updateOutdatedHash,
} from './account-statements.ts';

export type Account = AccountRow;
export type Revoked = RevokedRow;

/** Accounts in PostgreSQL. All methods throw `DatabaseUnavailable`. */
export class AccountRepository {
  readonly #router: DatabaseRouter;

  constructor(router: DatabaseRouter) {
    this.#router = router;
  }

  /** Upper and lower case of `email` count as the same. */
  async findByEmail(email: string): Promise<Account | null> {
    const [row] = await this.#newest((sql) => selectAccountByEmail(sql, email));
    return row ?? null;
  }

  async find(userId: number): Promise<Account | null> {
    const [row] = await this.#newest((sql) => selectAccountById(sql, userId));
    return row ?? null;
  }

  /** Replaces a hash by another of the same password, unless the password has been changed meanwhile. */
  async replaceOutdatedHash(userId: number, from: string, to: string): Promise<void> {
    await this.#router.write((sql) => updateOutdatedHash(sql, userId, from, to));
  }

  /**
   * Sets a new password and revokes all sessions; API keys too, unless they are kept.
   *
   * @returns null when `from` is no longer the password's hash.
   */
  async changePassword(userId: number, change: PasswordChange): Promise<Revoked | null> {
    const [row] = await this.#router.write((sql) => changePasswordHash(sql, userId, change));
    return row ?? null;
  }

  /** Revokes all sessions; API keys too, unless they are kept. @returns null when there is no such user. */
  async incrementGeneration(userId: number, keepApiKeys: boolean): Promise<Revoked | null> {
    const [row] = await this.#router.write((sql) => incrementGeneration(sql, userId, keepApiKeys));
    return row ?? null;
  }

  /**
   * Gives a role. A change revokes all sessions; and API keys, unless the role is `user`.
   *
   * @returns a generation of null where the user has the role already; null for an unknown user.
   * @throws `AccessError` last-admin
   */
  async setRole(userId: number, role: Role): Promise<RoleChangeRow | null> {
    const given = this.#router.write((sql) => setRole(sql, userId, role));
    const [row] = await given.catch((error: unknown) => {
      throw lastAdministratorError(error);
    });
    return row ?? null;
  }

  /** Reads the writer, which has the caller's own writes; a reader while the writer is down. */
  async #newest<Result>(query: Query<Result>): Promise<Result> {
    try {
      return await this.#router.readNewest(query);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) throw error;
      return await this.#router.read(query);
    }
  }
}
