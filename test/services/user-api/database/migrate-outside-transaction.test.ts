import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { migrate } from '../../../../services/user-api/database/migrate.ts';
import {
  findMigrationsDirectory,
  listMigrations,
  OUTSIDE_TRANSACTION,
} from '../../../../services/user-api/database/migrations.ts';
import { createDatabase, type TestDatabase } from '../../../support/database.ts';

const BREAKPOINT = '--> statement-breakpoint';
const DROP = 'DROP INDEX CONCURRENTLY IF EXISTS "users_again_index";';
const CREATE = 'CREATE INDEX CONCURRENTLY "users_again_index" ON "users" ("updated_at", "id");';
const BUILD = [OUTSIDE_TRANSACTION, DROP, BREAKPOINT, CREATE].join('\n');

/** The migrations of the user API, followed by the given ones, by name. */
async function directoryWith(more: Readonly<Record<string, string>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headroom-migrations-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await cp(findMigrationsDirectory(), directory, { recursive: true });
  const journalFile = join(directory, 'meta', '_journal.json');
  const journal = JSON.parse(await readFile(journalFile, 'utf8'));
  for (const [name, text] of Object.entries(more)) {
    const last = journal.entries.at(-1);
    journal.entries.push({ ...last, idx: last.idx + 1, when: last.when + 1_000, tag: name });
    await writeFile(join(directory, `${name}.sql`), text);
  }
  await writeFile(journalFile, JSON.stringify(journal));
  return directory;
}

describe('a migration outside a transaction', () => {
  let database: TestDatabase;
  let sql: Sql;

  beforeEach(async () => {
    database = await createDatabase();
    sql = postgres(database.writerUrl, { max: 3, onnotice: () => {} });
    return async () => {
      await sql.end({ timeout: 1 });
      await database.drop();
    };
  });

  const indexes = async (name: string) =>
    await sql<{ valid: boolean }[]>`
      select indisvalid as valid from pg_index where indexrelid = to_regclass(${name})`;
  const columns = async () =>
    await sql`select from information_schema.columns where table_name = 'users' and column_name = 'extra'`;

  it('builds an index while writes go on, and waits for nothing but older transactions', async () => {
    await migrate(database.writerUrl);
    const directory = await directoryWith({ '0900_index': BUILD });
    let migrating: ReturnType<typeof migrate> | undefined;

    await sql.begin(async (transaction) => {
      await transaction`insert into users (name, email) values ('Old', 'old@example.com')`;
      migrating = migrate(database.writerUrl, { migrationsDirectory: directory });
      await expect
        .poll(async () => (await indexes('users_again_index')).map(({ valid }) => valid))
        .toEqual([false]);
      // An index that is built in a transaction would wait for the one above, and this for that.
      await sql`insert into users (name, email) values ('New', 'new@example.com')`;
    });

    expect((await migrating)?.applied).toEqual(['0900_index']);
    expect(await indexes('users_again_index')).toEqual([{ valid: true }]);
    expect((await migrate(database.writerUrl, { migrationsDirectory: directory })).applied).toEqual(
      [],
    );
  });

  it('run concurrently between others, is applied once, in order, without a deadlock', async () => {
    const directory = await directoryWith({
      '0900_column': 'ALTER TABLE "users" ADD COLUMN "extra" text;',
      '0901_index': BUILD.replace('"updated_at"', '"extra"'),
      '0902_column': 'ALTER TABLE "users" ALTER COLUMN "extra" SET DEFAULT \'x\';',
    });

    const results = await Promise.all(
      Array.from({ length: 4 }, () =>
        migrate(database.writerUrl, { migrationsDirectory: directory }),
      ),
    );

    const applied = results.flatMap((result) => result.applied);
    expect(applied.slice(-3)).toEqual(['0900_column', '0901_index', '0902_column']);
    expect(new Set(applied).size).toBe(applied.length);
    expect(await indexes('users_again_index')).toEqual([{ valid: true }]);
  });

  it('that fails, leaves earlier ones applied and later ones not, and is repeated by the next run', async () => {
    await migrate(database.writerUrl);
    await sql`insert into users (name, email) values ('Twin', 'a@example.com'), ('Twin', 'b@example.com')`;
    const directory = await directoryWith({
      '0900_index': BUILD.replace('CREATE INDEX', 'CREATE UNIQUE INDEX').replace(
        '("updated_at", "id")',
        '("name")',
      ),
      '0901_column': 'ALTER TABLE "users" ADD COLUMN "extra" text;',
    });
    const run = () => migrate(database.writerUrl, { migrationsDirectory: directory });

    await expect(run()).rejects.toMatchObject({ code: '23505' });
    expect(await indexes('users_again_index')).toEqual([{ valid: false }]);
    expect(await columns()).toHaveLength(0);

    await sql`update users set name = email`;
    expect((await run()).applied).toEqual(['0900_index', '0901_column']);
    expect(await indexes('users_again_index')).toEqual([{ valid: true }]);
    expect(await columns()).toHaveLength(1);
  });

  it('that is unsafe, is refused before anything is applied', async () => {
    const directory = await directoryWith({ '0900_careless': `${OUTSIDE_TRANSACTION}\n${CREATE}` });
    const run = migrate(database.writerUrl, { migrationsDirectory: directory });
    await expect(run).rejects.toThrow('0900_careless.sql');
    const [users] = await sql`select to_regclass('users') as name`;
    expect(users?.name).toBeNull();
  });

  it('validates a constraint that was added as not valid', async () => {
    const constraint = 'CONSTRAINT "users_again_check"';
    const directory = await directoryWith({
      '0900_add': `ALTER TABLE "users" ADD ${constraint} CHECK ("name" <> '') NOT VALID;`,
      '0901_validate': `${OUTSIDE_TRANSACTION}\nALTER TABLE "users" VALIDATE ${constraint};`,
    });
    await migrate(database.writerUrl, { migrationsDirectory: directory });
    expect(
      await sql`select convalidated from pg_constraint where conname = 'users_again_check'`,
    ).toEqual([{ convalidated: true }]);
  });
});

describe('a migration marked to run outside a transaction', () => {
  const list = async (...statements: readonly string[]) => {
    const text = [OUTSIDE_TRANSACTION, statements.join(`\n${BREAKPOINT}\n`)].join('\n');
    return listMigrations(await directoryWith({ '0900_more': text })).at(-1);
  };

  it.each([
    ['an index that is dropped and built', [DROP, CREATE]],
    ['a unique one', [DROP, CREATE.replace('CREATE', 'CREATE UNIQUE')]],
    ['names without quotes', [DROP, CREATE].map((text) => text.replaceAll('"', ''))],
    ['small letters, blanks, and no semicolon', [`  ${DROP.toLowerCase().slice(0, -1)}`, CREATE]],
    ['comments', [`-- One.\n  -- Two.\n${DROP}`, CREATE.replace(' ON ', '\n  ON  ')]],
    ['an index that is only dropped', [DROP]],
    ['a constraint that is validated', ['ALTER TABLE "users" VALIDATE CONSTRAINT "one"']],
    ['one of this table alone', ['alter table only users validate constraint one;']],
  ])('may hold %s', async (_what, statements) => {
    const migration = await list(...statements);
    expect(migration).toMatchObject({ name: '0900_more', inTransaction: false });
    expect(migration?.statements).toHaveLength(statements.length);
  });

  it.each([
    ['what must not be done twice', ["INSERT INTO users (name, email) VALUES ('a', 'b');"]],
    ['two statements without a breakpoint between them', [`${DROP}\n${CREATE}`]],
    ['an index that is kept as it is', [DROP, CREATE.replace('LY ', 'LY IF NOT EXISTS ')]],
    ['an index that stops all writes', [DROP, CREATE.replace(' CONCURRENTLY', '')]],
    ['an index that must be there', [DROP.replace(' IF EXISTS', '')]],
    ['more behind a constraint', ['alter table users validate constraint one; drop table users;']],
    ['more before a constraint', ['select 1; alter table users validate constraint one;']],
    ['more before an index', [DROP, `select 1; ${CREATE}`]],
    ['more before an index that is dropped', [`select 1; ${DROP}`]],
  ])('and has %s, is refused', async (_what, statements) => {
    const statement = statements.at(-1)?.replace('\n', ' ').slice(0, 80);
    await expect(list(...statements)).rejects.toThrow(
      `0900_more.sql runs outside a transaction and has "${statement}"; such a file takes create index concurrently, drop index concurrently if exists, and alter table … validate constraint. Put the rest into a migration of its own.`,
    );
  });

  it.each([
    ['none', [CREATE]],
    ['another one', [DROP.replace('again', 'other'), CREATE]],
    ['it afterwards', [CREATE, DROP]],
  ])('and builds an index, but drops %s before, is refused', async (_what, statements) => {
    await expect(list(...statements)).rejects.toThrow(
      '0900_more.sql builds "users_again_index" outside a transaction; put "drop index concurrently if exists "users_again_index";" before it,',
    );
  });
});
