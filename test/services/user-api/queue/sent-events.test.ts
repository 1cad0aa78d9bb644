import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SentEvents } from '../../../../services/user-api/queue/sent-events.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { connect, leaveBehind, openOutbox } from './support/outbox.ts';

describe('SentEvents', () => {
  let database: TestDatabase;
  let sql: Sql;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = connect(database.writerUrl);
  });
  afterAll(async () => {
    await sql.end();
    await database.drop();
  });

  function createSentEvents(url: string) {
    const { outbox, logger, log, statements } = openOutbox(url);
    return { log, statements, sent: new SentEvents(outbox, logger) };
  }

  it('of several batches at once, removes all with one statement, and nothing else', async () => {
    const [left, ...ids] = await leaveBehind(sql, 31);
    const { log, sent, statements } = createSentEvents(database.writerUrl);
    for (let start = 0; start < ids.length; start += 10) sent.add(ids.slice(start, start + 10));
    await eventually(async () => expect(await sql`select id from outbox`).toEqual([{ id: left }]));
    expect(statements()).toBe(1);
    // What has been removed is not removed again.
    sent.add([left ?? '']);
    await sent.remove();
    await sent.remove();
    expect(statements()).toBe(2);
    expect(log).toEqual([]);
  });

  it('when the database is away, logs that they stay, and goes on', async () => {
    const { log, sent } = createSentEvents('postgres://nobody@127.0.0.1:1/none');
    sent.add([crypto.randomUUID()]);
    await sent.remove();
    expect(log).toMatchObject([
      {
        message: 'Sent events stay in the outbox, and will be sent again',
        error: { type: expect.any(String) },
      },
    ]);
  });
});
