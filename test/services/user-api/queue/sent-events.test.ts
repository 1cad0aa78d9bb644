import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { DatabaseRouter } from '../../../../services/user-api/database/router.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { Outbox } from '../../../../services/user-api/queue/outbox.ts';
import { SentEvents } from '../../../../services/user-api/queue/sent-events.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';

describe('SentEvents', () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = postgres(database.writerUrl, { max: 1 });
  });
  afterAll(async () => {
    await sql.end();
    await database.drop();
  });

  function createSentEvents(url: string) {
    const log: string[] = [];
    const logger = createLogger(
      { LOG_LEVEL: 'info', STAGE: 'test' },
      { write: (line) => void log.push(line) },
    );
    const pool = new DatabasePool({
      name: 'writer',
      url,
      connection: {},
      size: 1,
      statementTimeoutMilliseconds: 10_000,
      logger,
    });
    const router = new DatabaseRouter({ writer: pool, readers: [] }, logger);
    onTestFinished(() => router.close());
    return {
      log,
      sent: new SentEvents(new Outbox(router, logger), logger),
      statements: () => pool.metrics.durations.buckets.reduce((sum, count) => sum + count, 0),
    };
  }

  it('of several batches at once, removes all with one statement, and nothing else', async () => {
    const rows = await sql<{ id: string }[]>`
      insert into outbox (id, type, data, available_at)
      select gen_random_uuid(), 'user.created', '{}', now() from generate_series(1, 31)
      returning id`;
    const [left, ...ids] = rows.map(({ id }) => id);
    const { sent, statements } = createSentEvents(database.writerUrl);
    for (let start = 0; start < ids.length; start += 10) sent.add(ids.slice(start, start + 10));
    await eventually(async () => expect(await sql`select id from outbox`).toEqual([{ id: left }]));
    expect(statements()).toBe(1);
  });

  it('when the database is away, logs that they stay, and goes on', async () => {
    const { log, sent } = createSentEvents('postgres://nobody@127.0.0.1:1/none');
    sent.add([crypto.randomUUID()]);
    await sent.remove();
    expect(log.join()).toContain('Sent events stay in the outbox');
  });
});
