import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuthenticationMaintenance } from '../../../../services/user-api/auth/maintenance.ts';
import { DatabaseUnavailable } from '../../../../services/user-api/database/errors.ts';
import { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { DatabaseRouter } from '../../../../services/user-api/database/router.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';

const MINUTE = 60_000;

/** What it removes is tested in database.test.ts. */
describe('AuthenticationMaintenance', () => {
  let lines: { level: string; message: string }[];
  let writes: number;
  let maintenance: AuthenticationMaintenance;

  beforeEach(() => {
    [lines, writes] = [[], 0];
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
    vi.spyOn(router, 'write').mockImplementation(async () => {
      writes += 1;
      throw new DatabaseUnavailable('down', { outcome: 'not applied' });
    });
    maintenance = new AuthenticationMaintenance(router, logger);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.spyOn(Math, 'random').mockReturnValue(0);
  });
  afterEach(() => {
    maintenance.close();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('runs every five to ten minutes, whatever fails, and says what did', async () => {
    maintenance.start();
    await vi.advanceTimersByTimeAsync(5 * MINUTE - 1);
    expect(writes).toBe(0);
    vi.mocked(Math.random).mockReturnValue(0.999_999);
    await vi.advanceTimersByTimeAsync(1);
    expect(writes).toBe(1);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: 'What is out of date was not removed',
        error: expect.objectContaining({ message: 'down' }),
      }),
    ]);
    await vi.advanceTimersByTimeAsync(10 * MINUTE - 1_000);
    expect(writes).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(writes).toBe(2);
  });

  it('does not run when it is closed, nor begin again', async () => {
    maintenance.start();
    maintenance.close();
    maintenance.start();

    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect(writes).toBe(0);
  });
});
