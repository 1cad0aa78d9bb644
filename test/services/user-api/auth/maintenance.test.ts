import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuthenticationMaintenance } from '../../../../services/user-api/auth/maintenance.ts';
import { DatabaseUnavailable } from '../../../../services/user-api/database/errors.ts';
import { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { DatabaseRouter } from '../../../../services/user-api/database/router.ts';
import { createLogger, type Logger } from '../../../../services/user-api/observability/logger.ts';
import { createMigratedDatabase } from '../../../support/database.ts';
import { connect } from './support/auth-api.ts';

const MINUTE = 60_000;

function routerOf(url: string, logger: Logger): DatabaseRouter {
  const writer = new DatabasePool({
    name: 'writer',
    url,
    connection: {},
    size: 1,
    statementTimeoutMilliseconds: 1_000,
    logger,
  });
  return new DatabaseRouter({ writer, readers: [] }, logger);
}

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
    const router = routerOf('postgres://nobody:x@127.0.0.1:9/none', logger);
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
        message: 'Expired rows were not removed',
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

it('AuthenticationMaintenance removes what matters no more, and keeps what does', async () => {
  await using stack = new AsyncDisposableStack();
  const database = await createMigratedDatabase();
  stack.defer(() => database.drop());
  const sql = connect(database);
  stack.defer(() => sql.end());
  const [row] =
    await sql`insert into users (name, email) values ('Ada', 'a@example.com') returning id`;
  const id: string = row?.id;
  for (const age of ['59 minutes', '61 minutes']) {
    await sql`insert into revocations (kind, subject, created_at)
      values ('session', ${age}, now() - ${age}::text::interval)`;
  }
  for (const age of ['47 hours', '49 hours']) {
    await sql`insert into password_resets (id, requested_at)
      values (${randomUUID()}, now() - ${age}::text::interval)`;
    await sql`insert into email_changes (id, user_id, former_email, changed_at)
      values (${randomUUID()}, ${id}, ${age}, now() - ${age}::text::interval)`;
  }
  for (const age of ['29 days', '31 days']) {
    await sql`insert into api_keys (user_id, name, prefix, key_hash, scopes, expires_at)
      values (${id}, 'old', 'hrk_x', ${age}, '{}', now() - ${age}::text::interval)`;
  }

  const write = (line: string) => {
    throw new Error(line);
  };
  const logger = createLogger({ LOG_LEVEL: 'warn', STAGE: 'test' }, { write });
  const router = routerOf(database.writerUrl, logger);
  stack.defer(() => router.close());
  await new AuthenticationMaintenance(router, logger).run();

  expect(await sql`select subject from revocations`).toEqual([{ subject: '59 minutes' }]);
  expect(await sql`select count(*)::int as count from password_resets`).toEqual([{ count: 1 }]);
  expect(await sql`select former_email from email_changes`).toEqual([{ former_email: '47 hours' }]);
  expect(await sql`select key_hash from api_keys`).toEqual([{ key_hash: '29 days' }]);
});
