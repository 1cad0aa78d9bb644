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
 * Revokes sessions and their access tokens: here at once; in other processes by a message over Redis, or within `POLL_INTERVAL_SECONDS` and a
 * query.
 */
export class SessionRevoker {
  readonly #parts: SessionRevokerParts;

  constructor(parts: SessionRevokerParts) {
    this.#parts = parts;
  }

  /**
   * "Log out everywhere". Revokes API keys too, unless they are kept: an intruder can have created one. Works without Redis: the next refresh
   * refuses a session of an earlier generation.
   *
   * @param options.keepApiKeys - @default false
   * @returns whether there is such a user.
   * @throws `DatabaseUnavailable`; nothing is revoked then.
   */
  async endAll(userId: number, { keepApiKeys = false } = {}): Promise<boolean> {
    const ended = await this.#parts.accounts.incrementGeneration(userId, keepApiKeys);
    if (ended === null) return false;
    this.#parts.logger.info({ userId, revokedApiKeys: ended.revokedApiKeys }, 'All sessions ended');
    await this.forgetSessions(userId, ended.generation);
    return true;
  }

  /** Publishes a generation that the database has, and removes sessions of earlier ones. Never throws. */
  async forgetSessions(userId: number, generation: number): Promise<void> {
    const { feed, logger, sessions } = this.#parts;
    feed.publish({ kind: 'user', userId, generation });
    try {
      await sessions.closeAll(userId);
    } catch (error) {
      logger.warn({ userId, error }, 'Ended sessions are still stored');
    }
  }

  /** Revokes the access tokens of a removed session. Never throws: without the database, it is published over Redis only. */
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
