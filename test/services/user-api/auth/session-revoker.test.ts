import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AccountRepository } from '../../../../services/user-api/auth/accounts/account-repository.ts';
import { RevocationFeed } from '../../../../services/user-api/auth/revocations/revocation-feed.ts';
import { RevocationLog } from '../../../../services/user-api/auth/revocations/revocation-log.ts';
import { SessionRevoker } from '../../../../services/user-api/auth/sessions/session-revoker.ts';
import { SessionStore } from '../../../../services/user-api/auth/sessions/session-store.ts';
import { DatabaseUnavailable } from '../../../../services/user-api/database/errors.ts';
import { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { DatabaseRouter } from '../../../../services/user-api/database/router.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';

/** What it does to databases and to Redis is tested in revocations.test.ts; here they are away. */
describe('SessionEnder without database and Redis', () => {
  let lines: Record<string, unknown>[];
  let accounts: AccountRepository;
  let feed: RevocationFeed;
  let sessionRevoker: SessionRevoker;

  beforeEach(() => {
    lines = [];
    const logger = createLogger(
      { LOG_LEVEL: 'info', STAGE: 'test' },
      { write: (line) => void lines.push(JSON.parse(line)) },
    );
    const writer = new DatabasePool({
      name: 'writer',
      url: 'postgres://nobody:x@127.0.0.1:9/none',
      connection: {},
      size: 1,
      statementTimeoutMilliseconds: 1_000,
      logger,
    });
    const router = new DatabaseRouter({ writer, readers: [] }, logger);
    const down = new DatabaseUnavailable('down', { outcome: 'not applied' });
    vi.spyOn(router, 'write').mockRejectedValue(down);
    accounts = new AccountRepository(router);
    const log = new RevocationLog(router);
    feed = new RevocationFeed({ log, redis: null, logger });
    sessionRevoker = new SessionRevoker({
      accounts,
      sessions: new SessionStore(null),
      log,
      feed,
      logger,
    });
  });
  afterEach(() => void vi.restoreAllMocks());

  it('ends nothing when the database has not taken it', async () => {
    await expect(sessionRevoker.endAll(17)).rejects.toBeInstanceOf(DatabaseUnavailable);

    expect(feed.revocations.size).toBe(0);
    expect(lines).toEqual([]);
  });

  it('ends access tokens here at once, and says what could not be done', async () => {
    vi.spyOn(accounts, 'incrementGeneration').mockResolvedValue({
      generation: 3,
      revokedApiKeys: 2,
    });
    expect(await sessionRevoker.endAll(17)).toBe(true);
    await sessionRevoker.endAccessTokens('a');

    expect(accounts.incrementGeneration).toHaveBeenCalledWith(17, false);
    expect(feed.revocations.minimumGeneration(17)).toBe(3);
    expect(feed.revocations.isSessionRevoked('a')).toBe(true);
    expect(lines).toEqual(
      [
        { level: 'info', message: 'All sessions ended', userId: 17, revokedApiKeys: 2 },
        {
          level: 'warn',
          message: 'Ended sessions are still stored',
          userId: 17,
          error: expect.objectContaining({ message: 'The store of sessions does not respond' }),
        },
        {
          level: 'warn',
          message: 'The end of a session was not stored',
          sessionId: 'a',
          error: expect.objectContaining({ message: 'down' }),
        },
      ].map((line) => expect.objectContaining(line)),
    );
  });

  it('keeps API keys where that is asked for, and says when there is no such user', async () => {
    vi.spyOn(accounts, 'incrementGeneration').mockResolvedValue(null);
    expect(await sessionRevoker.endAll(17, { keepApiKeys: true })).toBe(false);

    expect(accounts.incrementGeneration).toHaveBeenCalledWith(17, true);
    expect(lines).toEqual([]);
  });
});
