import type { Role, UserRole } from '../../../contracts/authentication.ts';
import type { Logger } from '../../observability/logger.ts';
import { UserNotFound } from '../errors.ts';
import type { SessionRevoker } from '../sessions/session-revoker.ts';
import type { AccountRepository } from './account-repository.ts';

export class RoleChanges {
  readonly #accounts: AccountRepository;
  readonly #sessionRevoker: SessionRevoker;
  readonly #logger: Logger;

  constructor(accounts: AccountRepository, sessionRevoker: SessionRevoker, logger: Logger) {
    this.#accounts = accounts;
    this.#sessionRevoker = sessionRevoker;
    this.#logger = logger;
  }

  /**
   * Gives a user a role, which revokes all sessions, because access tokens name the role. A new administrator's API keys are revoked too:
   * otherwise a copied key would gain an administrator's reach.
   *
   * @param by - null for an operator at the command line.
   * @throws `UserNotFound`, `AccessError` last-admin
   */
  async setRole(userId: number, role: Role, by: number | null): Promise<UserRole> {
    const outcome = await this.#accounts.setRole(userId, role);
    if (outcome === null) throw new UserNotFound('There is no such user');
    if (outcome.generation !== null) {
      const { revokedApiKeys } = outcome;
      this.#logger.info({ userId, role, by, revokedApiKeys }, 'Role changed');
      await this.#sessionRevoker.forgetSessions(userId, outcome.generation);
    }
    return { userId, role };
  }
}
