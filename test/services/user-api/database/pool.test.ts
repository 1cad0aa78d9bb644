import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { databaseConnectionOptions } from '../../../../services/contracts/database/connection-options.ts';
import { sqlState } from '../../../../services/user-api/database/errors.ts';
import type { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { DatabaseRouter } from '../../../../services/user-api/database/router.ts';
import { runPrepared } from '../../../../services/user-api/database/statements.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { Outbox } from '../../../../services/user-api/queue/outbox.ts';
import { usersAfter } from '../../../../services/user-api/users/list-statements.ts';
import { usersWithIds } from '../../../../services/user-api/users/repository.ts';
import {
  deleteUser,
  insertUser,
  type NewUser,
  updateUser,
} from '../../../../services/user-api/users/write-statements.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { createRotatedLogin, passwordSettings } from '../../../support/rotated-login.ts';
import { system } from '../../../support/system.ts';
import { createTestPool } from '../support/database-pool.ts';

let database: TestDatabase;

const newUser = (email: string): NewUser => ({
  name: 'A',
  email,
  status: 'active',
  passwordHash: null,
  eventId: crypto.randomUUID(),
  traceParent: null,
});

beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(async () => {
  await database.drop();
});

const createPool = (settings: Partial<Parameters<typeof createTestPool>[0]> = {}) =>
  createTestPool({ url: database.writerUrl, ...settings });

function createOutbox(pool: DatabasePool): Outbox {
  const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });
  return new Outbox(new DatabaseRouter({ writer: pool, readers: [] }, logger), logger);
}

/** Runs each statement of the outbox. */
async function useOutbox(outbox: Outbox): Promise<void> {
  await outbox.take(1, 1);
  await outbox.remove(['00000000-0000-4000-8000-000000000000']);
  await outbox.depth();
}

describe('the statements', () => {
  it('are all prepared once on a connection and then reused', async () => {
    const { pool } = createPool();
    const listing = { order: { by: 'creation', newestFirst: false } } as const;
    const actor = { kind: 'self', userId: 1 } as const;
    for (let round = 0; round < 3; round += 1) {
      await pool.run(async (sql) => {
        await insertUser(sql, newUser(`prepared${round}@example.com`), null);
        await runPrepared(sql, usersWithIds([1, 2].slice(round % 2)));
        await runPrepared(sql, usersAfter(listing, null, 1));
        await runPrepared(sql, usersAfter({ ...listing, status: 'active' }, null, 1));
        await updateUser(sql, 0, { name: 'B' }, null);
        await deleteUser(sql, 0, null, { actor, erasedGeneration: 1 });
      });
      // A new one each time: an outbox reuses its depth.
      await useOutbox(createOutbox(pool));
    }
    const prepared = await pool.run(
      (sql) => sql<{ statement: string; uses: number }[]>`
        select statement, (generic_plans + custom_plans)::int as uses from pg_prepared_statements
        where statement not like '%pg_prepared_statements%'`,
    );
    expect(prepared).toHaveLength(9);
    for (const { statement, uses } of prepared) expect(uses, statement).toBe(3);
  });

  it('use indexes: none scans a table', async () => {
    const { pool } = createPool();
    await pool.run(
      (sql) => sql`
        insert into users (name, email, status)
        select 'Many', 'many' || number || '@example.com',
          (array['active', 'inactive', 'suspended'])[1 + number % 3]
        from generate_series(1, 20000) as number`,
    );
    await pool.run(
      (sql) => sql`
        insert into outbox (id, type, data, available_at)
        select gen_random_uuid(), 'x', '{}', now() + interval '1 hour' from generate_series(1, 5000)`,
    );
    await pool.run((sql) => sql.unsafe('analyze'));
    await useOutbox(createOutbox(pool));
    await pool.run(async (sql) => {
      const prepared = await sql`
        select statement from pg_prepared_statements where statement ~ 'outbox' and statement !~ 'insert'`;
      expect(prepared).toHaveLength(3);
      for (const text of [usersWithIds([1]).text, ...prepared.map((row) => row.statement)]) {
        // The plan for any parameters, which is the one that a prepared statement ends up with.
        const rows = await sql.unsafe(`explain (generic_plan) ${text}`);
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
        expect(plan, text).toContain('Index');
        expect(plan, text).not.toContain('Seq Scan');
      }
    });
  });
});

describe('DatabasePool', () => {
  it('with a statement that runs too long, has the server cancel it', async () => {
    const { pool } = createPool({ statementTimeoutMilliseconds: 50 });
    const failure = await pool
      .run((sql) => sql`select pg_sleep(10)`)
      .catch((error: unknown) => error);
    expect(sqlState(failure)).toBe('57014');
  });

  it('on a read-only server, opens new connections for the next attempt', async () => {
    const { pool, lines } = createPool({ url: database.readerUrl });
    const processId = async () =>
      (await pool.run((sql) => sql`select pg_backend_pid() as id`))[0]?.id;
    const before = await processId();
    const failure = await pool
      .run((sql) => sql`insert into users (name, email) values ('A', 'a@example.com')`)
      .catch((error: unknown) => error);
    expect(sqlState(failure)).toBe('25006');
    expect(await processId()).not.toBe(before);
    expect(lines.join()).toContain('Database connections replaced');
  });

  it('without a password, fails the query and not the process', async () => {
    const failures: unknown[] = [];
    const connection = databaseConnectionOptions(
      database.writerUrl,
      { ...passwordSettings, DATABASE_PASSWORD_FILE: '/nonexistent/password' },
      (error) => failures.push(error),
    );
    const { pool } = createPool({ connection });
    await expect(pool.run((sql) => sql`select 1`)).rejects.toMatchObject({
      code: '28P01',
    });
    expect(failures).toMatchObject([{ code: 'ENOENT' }]);
  });

  it('with a rotated password, opens connections with the new one', async () => {
    const { changePassword, connection, url } = await createRotatedLogin(database.writerUrl);
    const { pool } = createPool({ url, connection });
    const processId = () => pool.run((sql) => sql`select pg_backend_pid() as id`);
    const [before] = await processId();
    await changePassword();
    expect(await processId()).toEqual([before]);
    const administrator = postgres(system().postgres.primary.administratorUrl, { max: 1 });
    onTestFinished(() => administrator.end());
    await administrator`select pg_terminate_backend(${before?.id})`;
    await eventually(async () => expect((await processId())[0]?.id).not.toBe(before?.id));
  });

  it("with a statement that fails, throws PostgreSQL's error and not one that quotes the parameters", async () => {
    const { pool } = createPool();
    const create = () => pool.run((sql) => insertUser(sql, newUser('secret@example.com'), null));
    await create();
    const failure = await create().catch((error: unknown) => error);
    expect(sqlState(failure)).toBe('23505');
    expect(String(failure)).not.toContain('secret');
  });
});
