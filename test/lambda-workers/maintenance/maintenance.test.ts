import { inspect } from 'node:util';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Database } from '../../../lambda-workers/database/database.ts';
import { removeExpiredRows } from '../../../lambda-workers/maintenance/expired-rows.ts';
import { handler } from '../../../lambda-workers/maintenance/handler.ts';
import { MAINTENANCE_ROLE } from '../../../services/user-api/database/roles.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { system } from '../../support/system.ts';
import { captureLog } from '../support/standard-output.ts';

const PASSWORD = 'for this test';
const LOGIN = `maintenance_${process.pid}`;
const HOUR_SECONDS = 3_600;

let database: TestDatabase;
let owner: Sql;
let administrator: Sql;
let url: string;

/** A login that has the program's role, and nothing else. */
beforeAll(async () => {
  database = await createMigratedDatabase();
  owner = postgres(database.writerUrl, { max: 1, onnotice: () => {} });
  administrator = postgres(system().postgres.primary.administratorUrl, {
    max: 1,
    onnotice: () => {},
  });
  await administrator.unsafe(
    `create role ${LOGIN} login password '${PASSWORD}' in role ${MAINTENANCE_ROLE}`,
  );
  const login = new URL(database.writerUrl);
  login.username = LOGIN;
  login.password = PASSWORD;
  url = login.href;
});
afterAll(async () => {
  await owner.end();
  await database.drop();
  await administrator.unsafe(`drop role ${LOGIN}`);
  await administrator.end();
});

/** `count` records each: long expired, just expired, and valid. */
async function insertRecords(count: number): Promise<void> {
  const now = Math.floor(Date.now() / 1_000);
  for (const [consumer, expiry] of [
    ['expired', now - 2 * HOUR_SECONDS],
    ['just-expired', now - 60],
    ['valid', now + HOUR_SECONDS],
  ] as const) {
    await owner`
      insert into idempotency_records (consumer, idempotency_key, status, expiry)
      select ${consumer}, number::text, 'COMPLETED', ${expiry} from generate_series(1, ${count}) as number`;
  }
  for (const [prefix, age] of [
    ['old', '3 days'],
    ['new', '23 hours'],
  ] as const) {
    await owner`
      insert into idempotency_keys (digest, fingerprint, user_id, created_at)
      select ${prefix} || number, 'f', number, now() - ${age}::interval from generate_series(1, ${count}) as number`;
  }
}

async function left(): Promise<Record<string, number>> {
  const rows = await owner<{ kind: string; count: number }[]>`
    select consumer as kind, count(*)::int from idempotency_records group by 1
    union all select left(digest, 3), count(*)::int from idempotency_keys group by 1`;
  return Object.fromEntries(rows.map(({ kind, count }) => [kind, count]));
}

function connect(): Database {
  const connection = new Database(
    {
      DATABASE_URL: url,
      DATABASE_AUTHENTICATION: 'password',
      DATABASE_TLS: 'disable',
      AWS_REGION: 'us-east-1',
      DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: 10_000,
    },
    'test-maintenance',
    () => {},
  );
  onTestFinished(() => connection.close());
  return connection;
}

describe('maintenance', () => {
  beforeEach(() => owner`truncate idempotency_records, idempotency_keys`);

  it('removes expired rows only, with its own role', async () => {
    await insertRecords(10);
    expect(await removeExpiredRows(connect(), () => true)).toEqual([
      { table: 'idempotency_records', removed: 10, unfinished: false },
      { table: 'idempotency_keys', removed: 10, unfinished: false },
    ]);
    expect(await left()).toEqual({ 'just-expired': 10, valid: 10, new: 10 });
  });

  it('removes more rows than a batch in several statements', async () => {
    await insertRecords(4_500);
    const asked = vi.fn(() => true);
    const removals = await removeExpiredRows(connect(), asked);
    expect(removals.map(({ removed }) => removed)).toEqual([4_500, 4_500]);
    expect(asked).toHaveBeenCalledTimes(6);
    expect(await left()).toEqual({ 'just-expired': 4_500, valid: 4_500, new: 4_500 });
  });

  it('without time for all, leaves the newest for the next run and reports it', async () => {
    await insertRecords(2_500);
    let batches = 0;
    const removals = await removeExpiredRows(connect(), () => ++batches <= 1);
    expect(removals).toEqual([
      { table: 'idempotency_records', removed: 2_000, unfinished: true },
      { table: 'idempotency_keys', removed: 0, unfinished: true },
    ]);
    expect(await left()).toMatchObject({ expired: 500, old: 2_500 });
  });

  it('run concurrently, removes each row once and fails in neither', async () => {
    await insertRecords(3_000);
    const both = await Promise.all([
      removeExpiredRows(connect(), () => true),
      removeExpiredRows(connect(), () => true),
    ]);
    const removed = both.flat().reduce((sum, removal) => sum + removal.removed, 0);
    expect(removed).toBe(6_000);
    expect(await left()).toEqual({ 'just-expired': 3_000, valid: 3_000, new: 3_000 });
  });

  it('finds expired rows by an index', async () => {
    await insertRecords(3_000);
    await owner`analyze idempotency_records`;
    const plan = await owner`
      explain select consumer from idempotency_records
      where expiry < extract(epoch from now()) - 3600 order by expiry limit 2000`;
    expect(JSON.stringify(plan)).toContain('idempotency_records_expiry_index');
  });

  it('with its role, can neither read the content of rows nor use other tables', async () => {
    const login = postgres(url, { max: 1, onnotice: () => {} });
    onTestFinished(() => login.end());
    for (const statement of [
      'select response_data from idempotency_records',
      'select answer from idempotency_keys',
      "update idempotency_records set status = 'COMPLETED'",
      'insert into idempotency_keys (digest, user_id) values (1, 1)',
      'select * from users',
      'delete from outbox',
    ]) {
      await expect(login.unsafe(statement), statement).rejects.toMatchObject({ code: '42501' });
    }
  });

  /** Sets variables of the environment until the test ends. */
  function environment(variables: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
  }
  const invoke = (remainingMilliseconds = 300_000) =>
    handler({}, { getRemainingTimeInMillis: () => remainingMilliseconds });

  it('as Lambda handler, reads its environment, and returns and logs the removals', async () => {
    await insertRecords(3);
    environment({ DATABASE_URL: url, DATABASE_URLL: url });
    const log = captureLog();
    expect(await invoke()).toEqual([
      { table: 'idempotency_records', removed: 3, unfinished: false },
      { table: 'idempotency_keys', removed: 3, unfinished: false },
    ]);
    const connections = () =>
      owner`select from pg_stat_activity where application_name = 'maintenance' and datname = current_database()`;
    await expect.poll(connections).toHaveLength(0);
    await owner`truncate idempotency_records, idempotency_keys`;
    await insertRecords(1);
    // No batch begins with no more than 15 s left.
    expect(await invoke(15_000)).toMatchObject([
      { removed: 0, unfinished: true },
      { removed: 0, unfinished: true },
    ]);
    expect(await invoke(15_001)).toMatchObject([{ removed: 1 }, { removed: 1 }]);
    const misspelt = { level: 'warn', variable: 'DATABASE_URLL', meant: 'DATABASE_URL' };
    const removed = { level: 'info', service: 'maintenance', message: 'Expired rows removed' };
    const left = { level: 'warn', removed: 0, message: 'Expired rows are left for the next run' };
    const tables = [{ table: 'idempotency_records' }, { table: 'idempotency_keys' }];
    expect(log).toMatchObject([
      misspelt,
      ...tables.map((table) => ({ ...removed, ...table, removed: 3 })),
      misspelt,
      ...tables.map((table) => ({ ...left, ...table })),
      misspelt,
      ...tables.map((table) => ({ ...removed, ...table, removed: 1 })),
    ]);
  });

  it('without its database, fails, so that Lambda retries', async () => {
    const noDatabase = new URL(url);
    noDatabase.pathname = '/none';
    environment({ DATABASE_URL: noDatabase.href });
    const log = captureLog();
    await expect(invoke()).rejects.toThrow('Maintenance failed. database "none" does not exist');
    expect(log).toMatchObject([
      { level: 'error', message: 'Maintenance failed', error: { code: '3D000' } },
    ]);
  });

  it('without the file of its password, logs that and fails', async () => {
    environment({ DATABASE_URL: url, DATABASE_PASSWORD_FILE: '/no/such/file' });
    const log = captureLog();
    await expect(invoke()).rejects.toThrow('password authentication failed');
    expect(log[0]).toMatchObject({
      message: 'No database password',
      error: { code: 'ENOENT' },
    });
  });

  it('with a URL that the driver refuses, throws an error without the password, because Lambda logs all of it', async () => {
    environment({ DATABASE_URL: 'postgres://login:secret@,host/db', LOG_LEVEL: 'silent' });
    const error: unknown = await invoke().catch((thrown) => thrown);
    expect(error).toMatchObject({ message: 'Maintenance failed. Invalid URL' });
    expect(inspect(error)).not.toContain('secret');
  });
});
