import { setTimeout as wait } from 'node:timers/promises';
import { IdempotencyConfig } from '@aws-lambda-powertools/idempotency';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../../lambda-workers/database/database.ts';
import { PostgresPersistenceLayer } from '../../../lambda-workers/idempotency/postgres-persistence-layer.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';

let server: TestDatabase;
let database: Database;
let layer: PostgresPersistenceLayer;

beforeAll(async () => {
  server = await createMigratedDatabase();
  const settings = {
    DATABASE_URL: server.writerUrl,
    DATABASE_AUTHENTICATION: 'password',
    DATABASE_TLS: 'disable',
    AWS_REGION: 'us-east-1',
    DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: 5_000,
  } as const;
  database = new Database(settings, 'test', () => {});
  layer = new PostgresPersistenceLayer(database, 'test-worker');
  layer.configure({ config: new IdempotencyConfig({}), keyPrefix: 'test' });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(async () => {
  await database.run((sql) => sql`truncate idempotency_records`);
});

const REMAINING_MILLISECONDS = 30_000;
const BATCH_SIZE = 10;

async function handleBatch(number: number): Promise<void> {
  const ids = Array.from({ length: BATCH_SIZE }, (_, index) => `event ${number}/${index}`);
  await Promise.all(ids.map((id) => layer.saveInProgress(id, REMAINING_MILLISECONDS)));
  await Promise.all(ids.map((id) => layer.saveSuccess(id, { done: id })));
}

/** Rows of the table that the statements have read so far. */
async function rowsRead(): Promise<number> {
  await database.run((sql) => sql`select pg_stat_force_next_flush()`);
  const [row] = await database.run(
    (sql) => sql`
      select seq_tup_read + idx_tup_fetch as read from pg_stat_user_tables
      where relname = 'idempotency_records'`,
  );
  return Number(row?.read);
}

async function rowsReadForBatch(number: number): Promise<number> {
  const before = await rowsRead();
  await handleBatch(number);
  return (await rowsRead()) - before;
}

function layerOf(consumer: string): PostgresPersistenceLayer {
  const other = new PostgresPersistenceLayer(database, consumer);
  other.configure({ config: new IdempotencyConfig({}), keyPrefix: 'test' });
  return other;
}

const alreadyExists = { name: 'IdempotencyItemAlreadyExistsError' };

describe('Idempotency records in PostgreSQL', () => {
  it('use the index in a table that has grown since it was analyzed', async () => {
    const first = await rowsReadForBatch(0);
    // More than the five runs after which PostgreSQL keeps the plan of a statement.
    for (let number = 1; number < 10; number += 1) await handleBatch(number);
    expect(await rowsReadForBatch(10)).toBe(first);
  });

  it('are completed together, each with its own response', async () => {
    await handleBatch(1);
    const rows = await database.run(
      (sql) => sql`
        select status, in_progress_expiry is not null as kept, response_data->>'done' as done
        from idempotency_records order by response_data->>'done'`,
    );
    expect(rows).toEqual(
      Array.from({ length: BATCH_SIZE }, (_, index) => ({
        status: 'COMPLETED',
        kept: true,
        done: `event 1/${index}`,
      })),
    );
  });

  it('are removed only by the attempt that took them, not by an expired one', async () => {
    const other = layerOf('test-worker');
    await layer.saveInProgress('slow', 1);
    await wait(5);
    await other.saveInProgress('slow', REMAINING_MILLISECONDS);
    await layer.deleteRecord('slow');
    await expect(layer.saveInProgress('slow', REMAINING_MILLISECONDS)).rejects.toThrow('already');
    await other.deleteRecord('slow');
    await layer.saveInProgress('slow', REMAINING_MILLISECONDS);
  });

  it('are written again when they are completed after being removed, so that the event stays handled', async () => {
    await layer.saveInProgress('event', REMAINING_MILLISECONDS);
    await database.run((sql) => sql`truncate idempotency_records`);
    await layer.saveSuccess('event', { done: true });
    await expect(layer.saveInProgress('event', REMAINING_MILLISECONDS)).rejects.toMatchObject(
      alreadyExists,
    );
    expect((await layer.getRecord('event')).getResponse()).toEqual({ done: true });
  });

  it('are separate for each consumer', async () => {
    const other = layerOf('another-worker');
    await layer.saveInProgress('event', REMAINING_MILLISECONDS);
    await other.saveInProgress('event', REMAINING_MILLISECONDS);
    await other.saveSuccess('event', { done: 'by the other' });
    expect((await layer.getRecord('event')).getStatus()).toBe('INPROGRESS');
    await layer.deleteRecord('event');
    expect((await other.getRecord('event')).getStatus()).toBe('COMPLETED');
  });

  it('are taken once when a batch has an event twice', async () => {
    const taken = await Promise.allSettled(
      ['event', 'event'].map((id) => layer.saveInProgress(id, REMAINING_MILLISECONDS)),
    );
    expect(taken).toMatchObject([{ status: 'fulfilled' }, { reason: alreadyExists }]);
  });

  it('stay completed when the response to the completion is lost', async () => {
    await layer.saveInProgress('event', REMAINING_MILLISECONDS);
    await database.run((sql) => sql`update idempotency_records set status = 'COMPLETED'`);
    await layer.deleteRecord('event');
    await expect(layer.saveInProgress('event', REMAINING_MILLISECONDS)).rejects.toMatchObject(
      alreadyExists,
    );
  });

  it('that have expired may be taken again, as if there had been none', async () => {
    await layer.saveInProgress('event', REMAINING_MILLISECONDS);
    await layer.saveSuccess('event', { done: true });
    await database.run((sql) => sql`update idempotency_records set expiry = expiry - 3600`);
    await expect(layer.saveInProgress('event', REMAINING_MILLISECONDS)).rejects.toMatchObject(
      alreadyExists,
    );
    await database.run(
      (sql) => sql`update idempotency_records set expiry = extract(epoch from now()) - 2`,
    );
    const before = Date.now();
    await layer.saveInProgress('event', REMAINING_MILLISECONDS);
    const record = await layer.getRecord('event');
    expect(record.getStatus()).toBe('INPROGRESS');
    expect(record.responseData).toBeNull();
    expect(record.inProgressExpiryTimestamp).toBeGreaterThanOrEqual(
      before + REMAINING_MILLISECONDS,
    );
    expect(record.expiryTimestamp).toBeGreaterThan(before / 1_000);
  });

  it('that do not exist are reported as not found', async () => {
    await expect(layer.getRecord('event')).rejects.toMatchObject({
      name: 'IdempotencyItemNotFoundError',
    });
  });
});
