import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { DatabaseUnavailable } from '../../../../services/user-api/database/errors.ts';
import { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { DatabaseRouter, type Query } from '../../../../services/user-api/database/router.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

const WRITER_SIZE = 4;

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(() => database.drop());

/** A router whose only reader is down, and a query that counts how many of it run on the writer at once. */
async function startRouter() {
  const reader = await startTcpProxy(database.readerUrl);
  await reader.refuse();
  const logger = createLogger({ LOG_LEVEL: 'fatal', STAGE: 'test' }, { write: () => {} });
  const pool = (name: string, url: string) =>
    new DatabasePool({
      name,
      url,
      connection: {},
      size: WRITER_SIZE,
      statementTimeoutMilliseconds: 2_000,
      logger,
    });
  const router = new DatabaseRouter(
    {
      writer: pool('writer', database.writerUrl),
      readers: [pool('reader-1', reader.through(database.readerUrl))],
    },
    logger,
  );
  onTestFinished(async () => {
    await router.close();
    await reader.close();
  });
  const writer = await router.write(async (connections) => connections);
  const onWriter = { now: 0, most: 0 };
  const sleep: Query<unknown> = async (connections) => {
    const asked = connections`select pg_sleep(0.02)`;
    if (connections !== writer) return await asked;
    onWriter.now += 1;
    onWriter.most = Math.max(onWriter.most, onWriter.now);
    try {
      return await asked;
    } finally {
      onWriter.now -= 1;
    }
  };
  return { router, sleep, onWriter };
}

describe('DatabaseRouter, with all readers down,', () => {
  it('sends reads to at most half of the connections of the writer, and fails none', async () => {
    const { onWriter, router, sleep } = await startRouter();
    await router.read(sleep);
    onWriter.most = 0;
    await Promise.all(Array.from({ length: 60 }, () => router.read(sleep)));
    expect(onWriter.most).toBe(WRITER_SIZE / 2);
  });

  it('lets 1,000 reads wait for the writer, and refuses more as not applied', async () => {
    const { router, sleep } = await startRouter();
    await router.read(sleep);
    const quick: Query<unknown> = async () => null;
    const reads = Array.from({ length: WRITER_SIZE / 2 + 1_000 }, () => router.read(quick));
    await expect(router.read(quick)).rejects.toMatchObject({
      name: 'DatabaseBusy',
      message: 'No reader is available, and the writer has its maximum of reads',
      outcome: 'not applied',
      cause: { name: 'NoSlot' },
    });
    await Promise.all(reads);
  });

  it('leaves connections to writes while reads wait', async () => {
    const { router, sleep } = await startRouter();
    await router.read(sleep);
    let reads = 60;
    const reading = Array.from({ length: reads }, () =>
      router.read(sleep).finally(() => {
        reads -= 1;
      }),
    );
    await wait(1);
    await router.write((sql) => sql`select 1`);
    expect(reads).toBeGreaterThan(20);
    await Promise.all(reading);
  });

  it('passes on the error of a wrong query, not as unavailable', async () => {
    const { router } = await startRouter();
    const wrong = router.read((sql) => sql`select * from no_such_table`);
    await expect(wrong).rejects.toMatchObject({ code: '42P01' });
    await expect(wrong).rejects.not.toBeInstanceOf(DatabaseUnavailable);
  });
});
