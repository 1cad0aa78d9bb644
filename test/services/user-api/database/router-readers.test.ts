import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { DatabaseRouter, type Query } from '../../../../services/user-api/database/router.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(() => database.drop());

/** A router with readers behind proxies, whose clock stops but for `advance`; `ask` reads, and returns the server that responded. */
async function startRouter(readerCount: number) {
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(
    { LOG_LEVEL: 'info', STAGE: 'test' },
    { write: (line) => void log.push(JSON.parse(line)) },
  );
  const proxies: TcpProxy[] = [];
  for (let index = 0; index < readerCount; index += 1) {
    proxies.push(await startTcpProxy(database.readerUrl));
  }
  const pool = (name: string, url: string) =>
    new DatabasePool({
      name,
      url,
      connection: {},
      size: 2,
      statementTimeoutMilliseconds: 2_000,
      logger,
    });
  const readers = proxies.map((proxy, index) =>
    pool(`reader-${index + 1}`, proxy.through(database.readerUrl)),
  );
  const writer = pool('writer', database.writerUrl);
  const router = new DatabaseRouter({ writer, readers }, logger);
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(async () => {
    vi.useRealTimers();
    await router.close();
    for (const proxy of proxies) await proxy.close();
  });
  const names = new Map<unknown, string>();
  for (const each of router.pools) await each.run(async (key) => names.set(key, each.name));
  const nameOf: Query<string> = async (connections) => {
    await connections`select 1`;
    return names.get(connections) ?? '';
  };
  return {
    router,
    proxies,
    skips: () => log.flatMap(({ skipMilliseconds }) => skipMilliseconds ?? []),
    messages: () => log.map(({ message, pool }) => `${pool}: ${message}`),
    ask: () => router.read(nameOf),
    attempts: () => readers.map(({ metrics }) => metrics.serverFailures),
    advance: (milliseconds: number) => vi.advanceTimersByTime(milliseconds),
  };
}

describe('a router without readers', () => {
  it('reads on the writer', async () => {
    const { ask, router } = await startRouter(0);
    expect(router.hasReaders).toBe(false);
    expect(await ask()).toBe('writer');
  });
});

describe('a writer that is down', () => {
  it('is reported, and whether the change may have been applied', async () => {
    const { router } = await startRouter(0);
    const failing = (code: string): Query<unknown> => {
      const statement = `do $$ begin raise exception using errcode = '${code}'; end $$`;
      return (sql) => sql.unsafe(statement);
    };
    const unavailable = { name: 'DatabaseUnavailable', message: 'The writer: not available' };
    await expect(router.write(failing('57P01'))).rejects.toMatchObject({
      ...unavailable,
      outcome: 'unknown',
    });
    await expect(router.write(failing('53300'))).rejects.toMatchObject({
      ...unavailable,
      outcome: 'not applied',
    });
    await expect(router.readNewest(failing('53300'))).rejects.toMatchObject(unavailable);
    // An error of the statement is not the server's fault.
    await expect(router.write(failing('23505'))).rejects.toMatchObject({ code: '23505' });
    await expect(router.readNewest(failing('42P01'))).rejects.toMatchObject({ code: '42P01' });
  });
});

describe('a writer that is busy', () => {
  it('refuses waiting queries as not applied', async () => {
    const { ask, router } = await startRouter(0);
    const held = Promise.withResolvers<void>();
    const query: Query<unknown> = () => held.promise;
    const busy = [router.write(query), router.write(query)];
    const refused = [router.write(query), router.readNewest(query), ask()];
    router.pools[0]?.refuseWaiting();
    for (const each of refused) {
      await expect(each).rejects.toMatchObject({
        name: 'DatabaseBusy',
        message: 'The writer: too many statements wait',
        outcome: 'not applied',
        cause: { message: 'writer does not respond: waiting queries are refused' },
      });
    }
    held.resolve();
    await Promise.all(busy);
  });
});

describe("the router's readers", () => {
  it('are used round robin', async () => {
    const { ask, router } = await startRouter(2);
    expect([await ask(), await ask(), await ask()]).toEqual(['reader-1', 'reader-2', 'reader-1']);
    expect(router.hasReaders).toBe(true);
    expect(router.pools.map(({ name }) => name)).toEqual(['writer', 'reader-1', 'reader-2']);
    expect(Object.fromEntries(await router.check())).toEqual({
      writer: true,
      'reader-1': true,
      'reader-2': true,
    });
  });

  it('that fail are skipped, and others respond in their place', async () => {
    const { ask, attempts, messages, proxies, router } = await startRouter(2);
    await proxies[0]?.refuse();
    const responses = [await ask(), await ask(), await ask(), await ask()];
    expect(responses).toEqual(Array(4).fill('reader-2'));
    expect(attempts()).toEqual([1, 0]);
    expect(messages()).toEqual(['reader-1: Reader skipped']);
    expect((await router.check()).get('reader-1')).toBe(false);
  });

  it('are skipped for twice as long after each failure, for at most 30 s, and tried by one read each time', async () => {
    const { advance, ask, attempts, messages, proxies, skips } = await startRouter(1);
    await proxies[0]?.refuse();
    const waits = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    for (const [index, wait] of waits.entries()) {
      expect(await Promise.all([ask(), ask()])).toEqual(['writer', 'writer']);
      expect(attempts()[0]).toBe(index === 0 ? 2 : index + 2);
      advance(wait - 1);
      await ask();
      expect(attempts()[0]).toBe(index + 2);
      advance(1);
    }
    expect(skips()).toEqual(waits);
    await proxies[0]?.restore();
    const [tried, other] = await Promise.all([ask(), ask()]);
    expect([tried, other]).toEqual(['reader-1', 'writer']);
    expect(messages().at(-1)).toBe('reader-1: Reader available again');
    expect([await ask(), await ask()]).toEqual(['reader-1', 'reader-1']);
    expect(messages().filter((message) => message.endsWith('available again'))).toHaveLength(1);
    // The next failure is a first one again.
    await proxies[0]?.refuse();
    await ask();
    expect(skips().at(-1)).toBe(1_000);
  });

  it('are not skipped for a statement that runs too long, which is not tried on another server', async () => {
    const { messages, router } = await startRouter(2);
    let asked = 0;
    const slow: Query<unknown> = (sql) => {
      asked += 1;
      return sql.begin(async (transaction) => {
        await transaction`set local statement_timeout = 10`;
        await transaction`select pg_sleep(1)`;
      });
    };
    await expect(router.read(slow)).rejects.toMatchObject({
      name: 'DatabaseUnavailable',
      message: 'A reader: not available',
      outcome: 'not applied',
    });
    expect(asked).toBe(1);
    expect(messages()).toEqual([]);
  });

  it('that do not respond for half a second get no more reads, and waiting reads go to another server', async () => {
    const { advance, ask, messages, proxies, router } = await startRouter(1);
    const [, reader] = router.pools;
    await Promise.all([ask(), ask()]);
    proxies[0]?.silence();
    const sent = [ask(), ask()];
    const waiting = ask();
    expect(reader?.waiting).toBe(1);
    advance(500);
    expect(reader?.isStalled).toBe(false);
    advance(1);
    expect(await ask()).toBe('writer');
    expect(await waiting).toBe('writer');
    expect(messages()).toEqual([]);
    // A query is in flight without a response: only a busy one counts as available.
    const checked = router.check();
    reader?.refuseWaiting();
    expect((await checked).get('reader-1')).toBe(false);
    await proxies[0]?.refuse();
    expect(await Promise.all(sent)).toEqual(['writer', 'writer']);
  });

  it('that are busy, count as available', async () => {
    const { router } = await startRouter(1);
    const held = Promise.withResolvers<void>();
    const busy = [router.read(() => held.promise), router.read(() => held.promise)];
    const checked = router.check();
    router.pools[1]?.refuseWaiting();
    expect((await checked).get('reader-1')).toBe(true);
    held.resolve();
    await Promise.all(busy);
  });
});
