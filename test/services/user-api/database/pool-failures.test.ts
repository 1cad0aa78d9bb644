import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ChangeScope } from '../../../../services/contracts/changes/change-scope.ts';
import type { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { createTestPool } from '../support/database-pool.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(() => database.drop());

const createPool = (settings: Partial<Parameters<typeof createTestPool>[0]> = {}) =>
  createTestPool({ url: database.writerUrl, ...settings });

const ask = (pool: DatabasePool) => pool.run((sql) => sql`select 1 as one`);

/** Waits until the server has begun with `pg_sleep`. */
async function untilSleeping(): Promise<void> {
  const { pool } = createPool();
  await eventually(async () =>
    expect(
      await pool.run(
        (sql) => sql`
          select from pg_stat_activity
          where datname = current_database() and wait_event = 'PgSleep'`,
      ),
    ).toHaveLength(1),
  );
}

describe('DatabasePool', () => {
  it('whose server sends no response for half a second, is stalled until it does', async () => {
    const { pool } = createPool({ size: 2 });
    await ask(pool);
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    vi.advanceTimersByTime(1_000);
    const { durations } = pool.metrics;
    const before = durations.sum;
    const held = Promise.withResolvers<void>();
    const asked = pool.run(() => held.promise);
    expect(pool.isStalled).toBe(false);
    vi.advanceTimersByTime(500);
    expect(pool.isStalled).toBe(false);
    vi.advanceTimersByTime(1);
    expect(pool.isStalled).toBe(true);
    await ask(pool);
    expect(pool.isStalled).toBe(false);
    vi.advanceTimersByTime(501);
    expect(pool.isStalled).toBe(true);
    held.resolve();
    await asked;
    expect(pool.isStalled).toBe(false);
    expect(durations.sum - before).toBeCloseTo(1.002);
  });

  it('whose connections are lost, reports an unknown outcome after the deadline, replaces them once, and works again', async () => {
    const proxy = await startTcpProxy(database.writerUrl);
    onTestFinished(() => proxy.close());
    const { pool, lines } = createPool({
      url: proxy.through(database.writerUrl),
      size: 2,
      statementTimeoutMilliseconds: 50,
    });
    await Promise.all([ask(pool), ask(pool)]);
    proxy.silence();
    await proxy.restore();
    const scope = new ChangeScope();
    const lost = [pool.run((sql) => sql`select 1`, scope), ask(pool)];
    const waiting = ask(pool);
    expect([pool.waiting, pool.metrics.inProgress]).toEqual([1, 3]);
    const failures = await Promise.allSettled(lost);
    for (const failure of failures) {
      expect(failure).toMatchObject({
        reason: {
          name: 'DatabaseTimeout',
          wasSent: true,
          message: 'writer did not respond within 550 ms',
        },
      });
    }
    expect(scope.mayHaveChanged).toBe(true);
    expect(await waiting).toEqual([{ one: 1 }]);
    const { durations: _, ...counts } = pool.metrics;
    expect(counts).toEqual({
      inProgress: 0,
      refused: 0,
      serverFailures: 2,
      statementFailures: 0,
      replacements: 1,
    });
    expect(lines.filter((line) => line.includes('Database connections replaced'))).toHaveLength(1);
  });

  it('replaces its connections at most once a second', async () => {
    const { pool } = createPool({ url: database.readerUrl });
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    vi.advanceTimersByTime(5_000);
    const write = () =>
      pool
        .run((sql) => sql`insert into users (name, email) values ('A', 'a')`)
        .catch(() => pool.metrics.replacements);
    expect([await write(), await write()]).toEqual([1, 1]);
    vi.advanceTimersByTime(999);
    expect(await write()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(await write()).toBe(2);
  });

  it('that gets no connection, reports that nothing was sent', async () => {
    const proxy = await startTcpProxy(database.writerUrl);
    await proxy.close();
    const { pool } = createPool({ url: proxy.through(database.writerUrl) });
    const scope = new ChangeScope();
    await expect(pool.run((sql) => sql`select 1`, scope)).rejects.toMatchObject({
      name: 'StatementNotSent',
      message: 'There was no connection',
      cause: { code: 'ECONNREFUSED' },
    });
    expect(scope.mayHaveChanged).toBe(false);
    expect(pool.metrics).toMatchObject({ serverFailures: 1, replacements: 0 });
  });

  it('with a request that has ended, sends nothing; with one that ends, cancels its statement', async () => {
    const { pool } = createPool();
    await ask(pool);
    const ended = new ChangeScope();
    ended.end();
    let isSent = false;
    const send = pool.run((sql) => {
      isSent = true;
      return sql`select 1`;
    }, ended);
    await expect(send).rejects.toMatchObject({
      name: 'ScopeEnded',
      message: 'The request has ended',
    });
    expect([isSent, ended.mayHaveChanged]).toEqual([false, false]);

    const scope = new ChangeScope();
    const running = pool.run((sql) => sql`select pg_sleep(1)`, scope);
    const cancelled = expect(running).rejects.toMatchObject({ code: '57014' });
    expect(scope.mayHaveChanged).toBe(true);
    await untilSleeping();
    scope.end();
    await cancelled;
    expect(scope.mayHaveChanged).toBe(false);
    // The slot is free again.
    expect(await ask(pool)).toEqual([{ one: 1 }]);
  });

  it('with a query that throws before it is sent, rejects with that error', async () => {
    const { pool } = createPool();
    const error = new TypeError('Not sent');
    const run = pool.run(() => {
      throw error;
    });
    await expect(run).rejects.toBe(error);
    expect(await ask(pool)).toEqual([{ one: 1 }]);
    expect(pool.metrics.statementFailures).toBe(1);
  });

  it('renews connections after 4 to 6 minutes, and reconnects after 100 ms', async () => {
    const random = vi.spyOn(Math, 'random');
    onTestFinished(() => random.mockRestore());
    const lifetimes = [0, 0.5, 0.75].map(async (value) => {
      random.mockReturnValue(value);
      const { pool } = createPool();
      return await pool.run(async ({ options }) => options.max_lifetime);
    });
    expect(await Promise.all(lifetimes)).toEqual([240, 300, 330]);
    const { pool } = createPool();
    const backoff = await pool.run(async (sql) => sql.options.backoff);
    expect(typeof backoff === 'function' && backoff(5)).toBe(0.1);
  });

  it('refuses the queries that wait for a connection, on demand', async () => {
    const { pool } = createPool();
    const held = Promise.withResolvers<void>();
    const running = pool.run(() => held.promise);
    const waiting = ask(pool);
    pool.refuseWaiting();
    await expect(waiting).rejects.toMatchObject({
      name: 'NoSlot',
      message: 'writer does not respond: waiting queries are refused',
    });
    held.resolve();
    await running;
    expect(pool.metrics).toMatchObject({ refused: 1, serverFailures: 0, inProgress: 0 });
  });
});
