import type { Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  formatTraceParent,
  inTrace,
} from '../../../../services/contracts/tracing/trace-context.ts';
import { eventEnvelope } from '../../../../services/user-api/queue/outbox.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { addToOutbox, connect, openOutbox } from './support/outbox.ts';

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
beforeEach(async () => {
  await sql`delete from outbox`;
});

describe('Outbox.take', () => {
  it('skips events that another relay is taking, without waiting for it', async () => {
    const [locked, ...others] = await addToOutbox(sql, 3);
    const { outbox } = openOutbox(database.writerUrl);
    await sql.begin(async (transaction) => {
      await transaction`select from outbox where id = ${locked ?? ''} for update`;
      const taken = await outbox.take(10, 15);
      expect(taken.map(({ id }) => id).sort()).toEqual([...others].sort());
    });
  });

  it('takes the oldest, up to the limit, for the time of the lease', async () => {
    const [first, second, third] = await addToOutbox(sql, 3);
    await sql`update outbox set traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' where id = ${second ?? ''}`;
    const { outbox } = openOutbox(database.writerUrl);
    const taken = await outbox.take(2, 15);
    expect(new Map(taken.map((event) => [event.id, event.traceparent]))).toEqual(
      new Map([
        [first, undefined],
        [second, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
      ]),
    );
    expect((await outbox.take(2, 15)).map(({ id }) => id)).toEqual([third]);
    expect(await outbox.take(2, 15)).toEqual([]);
    const leases = await sql`select from outbox
      where available_at between now() + interval '10 seconds' and now() + interval '15 seconds'`;
    expect(leases).toHaveLength(3);
  });

  it('returns events as they were written, and leaves those of an unknown type', async () => {
    const [known] = await addToOutbox(sql, 1);
    await sql`
      insert into outbox (id, type, data, available_at)
      values ('00000000-0000-4000-8000-000000000000', 'user.renamed', '{}', now())`;
    const { outbox, log } = openOutbox(database.writerUrl);
    expect(await outbox.take(10, 15)).toEqual([
      {
        specversion: '1.0',
        id: known,
        source: '/user-api',
        type: 'user.created',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        datacontenttype: 'application/json',
        data: { userId: 1 },
      },
    ]);
    expect(log).toMatchObject([
      {
        level: 'error',
        message: 'An event in the outbox has an unknown type',
        eventId: '00000000-0000-4000-8000-000000000000',
        type: 'user.renamed',
      },
    ]);
  });
});

describe('Outbox.remove', () => {
  it('of nothing, runs no statement', async () => {
    const { outbox, statements } = openOutbox(database.writerUrl);
    await outbox.remove([]);
    expect(statements()).toBe(0);
  });
});

describe('Outbox.depth', () => {
  it('is the number of events and the age of the oldest, read once in 10 s', async () => {
    const { outbox, statements } = openOutbox(database.writerUrl);
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    vi.advanceTimersByTime(1);
    expect(await outbox.depth()).toEqual({ events: 0, overdueSeconds: 0 });
    await addToOutbox(sql, 3);
    vi.advanceTimersByTime(10_000);
    expect(await outbox.depth()).toEqual({ events: 0, overdueSeconds: 0 });
    expect(statements()).toBe(1);
    vi.advanceTimersByTime(1);
    const { events, overdueSeconds } = (await outbox.depth()) ?? {};
    expect(events).toBe(3);
    expect(overdueSeconds).toBeGreaterThanOrEqual(59);
    expect(overdueSeconds).toBeLessThan(90);
  });

  it('of events that are not due yet, is overdue by 0', async () => {
    await addToOutbox(sql, 1);
    await sql`update outbox set available_at = now() + interval '1 hour'`;
    const { outbox } = openOutbox(database.writerUrl);
    expect(await outbox.depth()).toEqual({ events: 1, overdueSeconds: 0 });
  });

  it('is unknown while no database responds', async () => {
    const { outbox } = openOutbox('postgres://nobody@127.0.0.1:1/none');
    expect(await outbox.depth()).toBeNull();
  });
});

describe('eventEnvelope', () => {
  const create = () => eventEnvelope('an id', '2026-01-02T03:04:05.678Z');

  const envelope = {
    specversion: '1.0',
    id: 'an id',
    source: '/user-api',
    time: '2026-01-02T03:04:05.678Z',
    datacontenttype: 'application/json',
  };

  it('names no trace where the running code has none', () => {
    expect(create()).toEqual(envelope);
  });

  it('names the trace of the running code', () => {
    const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };
    expect(inTrace(parent, create)).toEqual({
      ...envelope,
      traceparent: formatTraceParent(parent),
    });
  });
});
