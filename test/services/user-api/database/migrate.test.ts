import { execFile } from 'node:child_process';
import { appendFile, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import postgres, { type Sql } from 'postgres';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import drizzleConfiguration from '../../../../services/user-api/database/drizzle.config.ts';
import { migrate } from '../../../../services/user-api/database/migrate.ts';
import {
  findMigrationsDirectory,
  listMigrations,
} from '../../../../services/user-api/database/migrations.ts';
import {
  API_ROLE,
  EMAIL_WORKER_ROLE,
  grantRoles,
  QUEUE_WORKER_ROLE,
} from '../../../../services/user-api/database/roles.ts';
import { DEMO_USER_COUNT, insertDemoUsers } from '../../../../services/user-api/users/demo-data.ts';
import { createDatabase, type TestDatabase } from '../../../support/database.ts';
import { sourceOptions } from '../../../support/node-program.ts';
import { system } from '../../../support/system.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const run = promisify(execFile);

const databases: TestDatabase[] = [];

async function newDatabase(): Promise<TestDatabase> {
  const database = await createDatabase();
  databases.push(database);
  return database;
}

afterEach(async () => {
  await Promise.all(databases.splice(0).map((database) => database.drop()));
});

function connect(url: string): Sql {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  onTestFinished(() => client.end({ timeout: 1 }));
  return client;
}

/** The same database, as the superuser. */
function asAdministrator({ name }: TestDatabase): string {
  const url = new URL(system().postgres.primary.administratorUrl);
  url.pathname = `/${name}`;
  return url.href;
}

async function copyOfMigrations(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headroom-migrations-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await cp(findMigrationsDirectory(), directory, { recursive: true });
  return directory;
}

describe('migrate', () => {
  it('run concurrently on an empty database, applies each migration exactly once', async () => {
    const { writerUrl } = await newDatabase();
    const results = await Promise.all(Array.from({ length: 5 }, () => migrate(writerUrl)));

    const names = listMigrations(findMigrationsDirectory()).map(({ name }) => name);
    expect(results.flatMap(({ applied }) => applied)).toEqual(names);
    const [recorded] = await connect(writerUrl)`
      select count(*)::int as count from drizzle.__drizzle_migrations`;
    expect(recorded?.count).toBe(names.length);
  });

  it('on an up-to-date database, does nothing and reports it', async () => {
    const { writerUrl } = await newDatabase();
    await migrate(writerUrl);
    const said: string[] = [];
    const result = await migrate(writerUrl, { onProgress: (message) => said.push(message) });
    expect(result.applied).toEqual([]);
    expect(said).toEqual(['The database is up to date.']);
  });

  it('with a migration that fails, rolls back its transaction and releases the lock', async () => {
    const { writerUrl } = await newDatabase();
    const directory = await copyOfMigrations();
    const last = listMigrations(directory).at(-1)?.name ?? '';
    const failing = '\n--> statement-breakpoint\nselect 1/0;';
    await appendFile(join(directory, `${last}.sql`), failing);

    await expect(migrate(writerUrl, { migrationsDirectory: directory })).rejects.toMatchObject({
      code: '22012',
    });
    const [users] = await connect(writerUrl)`select to_regclass('users') as name`;
    expect(users?.name).toBeNull();
    expect((await migrate(writerUrl)).applied).not.toEqual([]);
  });

  it('in a folder without migrations, names the folder', () => {
    expect(() => findMigrationsDirectory('file:///nowhere/bundle.mjs')).toThrow(
      '/nowhere/migrations',
    );
  });
});

describe('the migrations and schema.ts', () => {
  it('agree: there is nothing to generate', async () => {
    const meta = join(findMigrationsDirectory(), 'meta');
    const snapshots = (await readdir(meta)).filter((file) => file.endsWith('_snapshot.json'));
    const last = JSON.parse(await readFile(join(meta, snapshots.sort().at(-1) ?? ''), 'utf8'));
    const files = [drizzleConfiguration.schema ?? []].flat();
    const schemas = await Promise.all(files.map((file) => import(join(root, file))));
    const schema = generateDrizzleJson(Object.assign({}, ...schemas), last.prevId);
    expect(await generateMigration(last, schema)).toEqual([]);
  });
});

describe('the roles of the programs', () => {
  async function connectAs(role: string): Promise<Sql> {
    const database = await newDatabase();
    const url = asAdministrator(database);
    expect((await migrate(url)).rolesGranted).toBe(true);
    const client = connect(url);
    await client`
      insert into users (name, email) values ('Ada', 'ada@example.com')`;
    await client.unsafe(`set role ${role}`);
    return client;
  }

  /** The SQLSTATE insufficient_privilege. */
  const denied = { code: '42501' };

  it('let the API read and write its tables, but not alter them', async () => {
    const client = await connectAs(API_ROLE);
    const id = '00000000-0000-4000-8000-000000000000';
    await client`insert into users (name, email) values ('Grace', 'grace@example.com')`;
    await client`update users set status = 'inactive'`;
    await client`insert into outbox (id, type, data, available_at) values (${id}, 'x', '{}', now())`;
    await client`update outbox set available_at = now()`;
    await client`delete from outbox`;
    await client`delete from users`;
    for (const statement of [
      'drop table users',
      'alter table users add column x int',
      'truncate users',
      'create table more (x int)',
      'create index on users (name)',
      'select * from idempotency_records',
      'select * from drizzle.__drizzle_migrations',
      'create role other',
    ]) {
      await expect(client.unsafe(statement), statement).rejects.toMatchObject(denied);
    }
  });

  it('let the email worker read recipients and keep its records, and no more', async () => {
    const client = await connectAs(EMAIL_WORKER_ROLE);
    expect(await client`select id, email from users where id = 1`).toHaveLength(1);
    expect(await client`select former_email from email_changes`).toHaveLength(0);
    expect(
      await client`select user_id, prefix, scopes, expires_at from api_keys where id = 0`,
    ).toHaveLength(0);
    await client`
      insert into idempotency_records (consumer, idempotency_key, status, expiry)
      values ('test', 'key', 'INPROGRESS', 1)`;
    await client`update idempotency_records set status = 'COMPLETED'`;
    await client`delete from idempotency_records`;
    for (const statement of [
      "update users set name = 'x'",
      'delete from users',
      "insert into users (name, email) values ('x', 'y')",
      'select * from users',
      'select name from users',
      'select * from outbox',
      'delete from email_changes',
      'select key_hash from api_keys',
      'select name from api_keys',
      'drop table idempotency_records',
    ]) {
      await expect(client.unsafe(statement), statement).rejects.toMatchObject(denied);
    }
  });

  it('let other queue workers keep their records, and no more', async () => {
    const client = await connectAs(QUEUE_WORKER_ROLE);
    await client`
      insert into idempotency_records (consumer, idempotency_key, status, expiry)
      values ('test', 'key', 'INPROGRESS', 1)`;
    await client`update idempotency_records set status = 'COMPLETED'`;
    await client`delete from idempotency_records`;
    for (const statement of [
      'select id from users',
      'select * from outbox',
      'select * from email_changes',
      'drop table idempotency_records',
    ]) {
      await expect(client.unsafe(statement), statement).rejects.toMatchObject(denied);
    }
  });

  it('get IAM login where the server has it, as RDS does', async () => {
    const database = await newDatabase();
    await migrate(asAdministrator(database));
    const client = connect(asAdministrator(database));
    // In the catalogue of the whole server: rolled back, so that no other suite sees it.
    await client
      .begin(async (transaction) => {
        await transaction`create role rds_iam`;
        await grantRoles(transaction);
        const [member] = await transaction`
          select pg_has_role(${API_ROLE}, 'rds_iam', 'member') as api,
            pg_has_role(${EMAIL_WORKER_ROLE}, 'rds_iam', 'member') as worker`;
        expect(member).toEqual({ api: true, worker: true });
        throw new Error('roll back');
      })
      .catch((error: Error) => expect(error.message).toBe('roll back'));
  });
});

describe('the program migrate.ts', () => {
  const program = (environment: Readonly<Record<string, string>>) =>
    run(process.execPath, [...sourceOptions, 'services/user-api/migrate.ts'], {
      cwd: root,
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        ...environment,
      },
    });

  it('migrates the database of DATABASE_URL, and reports the migrations', async () => {
    const { writerUrl } = await newDatabase();
    const { stdout } = await program({ DATABASE_URL: writerUrl });
    expect(stdout).toMatch(/Applying 0000_initial.*\n.*up to date/s);
  });

  it.each([
    ['no DATABASE_URL', {}, /^DATABASE_URL is not set; it takes a URL/],
    [
      'nobody there',
      { DATABASE_URL: 'postgres://a:secret@127.0.0.1:1/x' },
      /ECONNREFUSED.*\nStart PostgreSQL there/s,
    ],
  ])(
    'with %s, ends with 1 and a remedy, without a stack or the password',
    async (_, environment, message) => {
      const failure = await program(environment).then(
        () => null,
        (error: { code: number; stderr: string }) => error,
      );
      expect(failure?.code).toBe(1);
      expect(failure?.stderr).toMatch(message);
      expect(failure?.stderr).not.toMatch(/secret|\bat .*:\d+:\d+/);
    },
  );
});

describe('insertDemoUsers', () => {
  it('run concurrently on an empty database, inserts the users once and leaves the next id free', async () => {
    const { writerUrl } = await newDatabase();
    await migrate(writerUrl);
    const inserted = await Promise.all([insertDemoUsers(writerUrl), insertDemoUsers(writerUrl)]);
    expect(inserted.sort()).toEqual([false, true]);

    const client = connect(writerUrl);
    const [range] = await client`
      select min(id)::int, max(id)::int, count(*)::int, (select count(*)::int from outbox) as events
      from users`;
    expect(range).toEqual({ min: 1, max: DEMO_USER_COUNT, count: DEMO_USER_COUNT, events: 0 });
    const [next] = await client`
      insert into users (name, email) values ('Next', 'next@example.net') returning id::int`;
    expect(next?.id).toBe(DEMO_USER_COUNT + 1);
  });

  it('on a database with a user, changes nothing', async () => {
    const { writerUrl } = await newDatabase();
    await migrate(writerUrl);
    const client = connect(writerUrl);
    await client`insert into users (name, email) values ('Only', 'only@example.net')`;
    expect(await insertDemoUsers(writerUrl)).toBe(false);
    expect(await client`select from users`).toHaveLength(1);
  });
});
