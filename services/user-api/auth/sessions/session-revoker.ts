import type { Logger } from '../../observability/logger.ts';
import type { AccountRepository } from '../accounts/account-repository.ts';
import type { RevocationFeed } from '../revocations/revocation-feed.ts';
import type { RevocationLog } from '../revocations/revocation-log.ts';
import type { SessionStore } from './session-store.ts';

export interface SessionRevokerParts {
  readonly accounts: AccountRepository;
  readonly sessions: SessionStore;
  readonly log: RevocationLog;
  readonly feed: RevocationFeed;
  readonly logger: Logger;
}

/**
 * Ends sessions before their time, and with them the access tokens made of them: here at once; in other processes as soon as Redis
 * tells them, and within `POLL_INTERVAL_SECONDS` and a query from the database if it does not.
 */
export class SessionRevoker {
  readonly #parts: SessionRevokerParts;

  constructor(parts: SessionRevokerParts) {
    this.#parts = parts;
  }

  /**
   * "Log out everywhere". Revokes API keys, too, unless they are kept: whoever had a session can have made one. It works without
   * Redis: a session of an earlier generation is refused by the next refresh.
   *
   * @param options.keepApiKeys - @default false
   * @returns whether there is such a user.
   * @throws `DatabaseUnavailable`, when nothing has been ended.
   */
  async endAll(userId: number, { keepApiKeys = false } = {}): Promise<boolean> {
    const ended = await this.#parts.accounts.incrementGeneration(userId, keepApiKeys);
    if (ended === null) return false;
    this.#parts.logger.info({ userId, revokedApiKeys: ended.revokedApiKeys }, 'All sessions ended');
    await this.forgetSessions(userId, ended.generation);
    return true;
  }

  /** Tells everybody of a generation that the database has, and removes the sessions of those before. Never throws. */
  async forgetSessions(userId: number, generation: number): Promise<void> {
    const { feed, logger, sessions } = this.#parts;
    feed.publish({ kind: 'user', userId, generation });
    try {
      await sessions.closeAll(userId);
    } catch (error) {
      logger.warn({ userId, error }, 'Ended sessions are still stored');
    }
  }

  /** Ends the access tokens of a session that is gone. Never throws: without the database, what processes tell each other has to do. */
  async endAccessTokens(sessionId: string): Promise<void> {
    const { feed, log, logger } = this.#parts;
    feed.publish({ kind: 'session', sessionId });
    try {
      await log.addSession(sessionId);
    } catch (error) {
      logger.warn({ sessionId, error }, 'The end of a session was not stored');
    }
  }
}
