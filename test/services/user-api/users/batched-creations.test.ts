import { randomUUID } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseUnavailable } from '../../../../services/user-api/database/errors.ts';
import { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { DatabaseRouter } from '../../../../services/user-api/database/router.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { EmailTaken } from '../../../../services/user-api/users/errors.ts';
import { UserRepository } from '../../../../services/user-api/users/repository.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { system } from '../../../support/system.ts';

const SILENT = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });

/** What a user is created of, with an event of its own. */
function creation(email: string, more: { name?: string; passwordHash?: string } = {}) {
  const { name = 'Ada', passwordHash = null } = more;
  return {
    fields: { name, email, status: 'active' as const },
    options: { eventId: randomUUID(), passwordHash },
  };
}

function connect(url: string) {
  const pool = new DatabasePool({
    name: 'writer',
    url,
    connection: {},
    size: 4,
    statementTimeoutMilliseconds: 10_000,
    logger: SILENT,
  });
  const router = new DatabaseRouter({ writer: pool, readers: [] }, SILENT);
  const repository = new UserRepository(router);
  return {
    close: () => router.close(),
    statements: () => pool.metrics.durations.buckets.reduce((sum, count) => sum + count, 0),
    createAll: (creations: readonly ReturnType<typeof creation>[]) =>
      Promise.allSettled(
        creations.map(({ fields, options }) => repository.create(fields, options)),
      ),
  };
}

describe('UserRepository.create, for several users at once', () => {
  let database: TestDatabase;
  let sql: Sql;
  let connection: ReturnType<typeof connect>;
  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = postgres(database.writerUrl, { max: 2 });
    connection = connect(database.writerUrl);
  });
  beforeEach(async () => {
    await sql`delete from users`;
    await sql`delete from outbox`;
  });
  afterAll(async () => {
    await connection.close();
    await sql.end();
    await database.drop();
  });

  /** Until the statement for several users waits for another transaction. */
  const untilOneWaits = () =>
    eventually(async () => {
      const [waiting] = await sql`
        select count(*)::int as count from pg_stat_activity
        where wait_event_type = 'Lock' and query like '%json_to_recordset%'`;
      expect(waiting?.count).toBe(1);
    });

  it('creates all with one statement, each with its own answer, account and event', async () => {
    const creations = Array.from({ length: 20 }, (_, index) =>
      creation(`User${index}@example.com`, {
        name: `"Ö", {${index}} \\ '${index}'`,
        ...(index % 2 === 0 ? {} : { passwordHash: `hash ${index}` }),
      }),
    );
    const before = connection.statements();
    const created = await connection.createAll(creations);
    expect(connection.statements() - before).toBe(1);
    for (const [index, outcome] of created.entries()) {
      expect(outcome).toMatchObject({ status: 'fulfilled', value: creations[index]?.fields });
    }
    const rows = await sql`
      select email, password_hash, outbox.id as event, type, available_at - outbox.created_at as delay
      from users join outbox on data = jsonb_build_object('userId', users.id)
      left join accounts on user_id = users.id
      order by users.email collate "C"`;
    expect(rows.map((row) => ({ ...row }))).toEqual(
      creations
        .toSorted((one, other) => (one.fields.email < other.fields.email ? -1 : 1))
        .map(({ fields, options }) => ({
          email: fields.email,
          password_hash: options.passwordHash,
          event: options.eventId,
          type: 'user.created',
          delay: '00:00:10',
        })),
    );
  });

  it('with an address that is taken among them, refuses that one and no other', async () => {
    await connection.createAll([creation('taken@example.com')]);
    const outcomes = await connection.createAll([
      creation('one@example.com'),
      creation('Taken@example.com'),
      creation('two@example.com'),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'fulfilled', value: { email: 'one@example.com' } },
      { status: 'rejected', reason: expect.any(EmailTaken) },
      { status: 'fulfilled', value: { email: 'two@example.com' } },
    ]);
    const [events] = await sql`select count(*)::int as count from outbox`;
    expect(events?.count).toBe(3);
  });

  it.each(['same@example.com', 'SAME@example.com'])(
    'with same@example.com and %s among them, creates the first alone',
    async (other) => {
      const outcomes = await connection.createAll([
        creation('same@example.com', { name: 'First' }),
        creation('else@example.com'),
        creation(other, { name: 'Second' }),
      ]);
      expect(outcomes).toMatchObject([
        { status: 'fulfilled', value: { email: 'same@example.com', name: 'First' } },
        { status: 'fulfilled', value: { email: 'else@example.com' } },
        { status: 'rejected', reason: expect.any(EmailTaken) },
      ]);
    },
  );

  it('with a row among them that cannot be, creates the others', async () => {
    const outcomes = await connection.createAll([
      creation('one@example.com'),
      creation(`${'x'.repeat(300)}@example.com`),
      creation('two@example.com'),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await sql`select email from users order by email`).toEqual([
      { email: 'one@example.com' },
      { email: 'two@example.com' },
    ]);
  });

  it('takes addresses in their order, however they come, so that no two processes wait for each other', async () => {
    const other = postgres(database.writerUrl, { max: 1 });
    await other`begin`;
    const insert = (email: string) =>
      other`insert into users (name, email) values ('Other', ${email})`;
    await insert('m@example.com');
    const creating = connection.createAll(
      ['z@example.com', 'M@example.com', 'a@example.com'].map((email) => creation(email)),
    );
    await untilOneWaits();
    await other`set local lock_timeout = '100ms'`;
    await insert('z@example.com');
    await expect(insert('a@example.com')).rejects.toThrow('lock timeout');
    await other`rollback`;
    await other.end();
    expect((await creating).map(({ status }) => status)).toEqual(Array(3).fill('fulfilled'));
  });

  it('when PostgreSQL ends it for a deadlock, tries each alone', async () => {
    await connection.createAll([creation('b@example.com')]);
    const administrator = new URL(system().postgres.primary.administratorUrl);
    administrator.pathname = database.name;
    // Only who never looks for deadlocks itself is certain not to be the one that is ended.
    const other = postgres(administrator.href, {
      max: 1,
      connection: { deadlock_timeout: 60_000 },
    });
    await other`begin`;
    await other`update users set email = 'c@example.com' where email = 'b@example.com'`;
    const creating = connection.createAll([creation('a@example.com'), creation('b@example.com')]);
    await untilOneWaits();
    // Waits for the row that the statement of both has inserted, while that one waits for this. Once that one has ended, either
    // this or the creation tried again may have the email first.
    await other`update users set email = 'a@example.com' where email = 'c@example.com'`.catch(
      (error: unknown) => expect(error).toMatchObject({ code: '23505' }),
    );
    await other`rollback`;
    await other.end();
    expect(await creating).toMatchObject([
      { status: 'fulfilled', value: { email: 'a@example.com' } },
      { status: 'rejected', reason: expect.any(EmailTaken) },
    ]);
  });

  it('when the writer is away, fails all at once with the error that says so', async () => {
    const away = connect('postgres://nobody@127.0.0.1:1/none');
    const outcomes = await away.createAll([creation('a@example.com'), creation('b@example.com')]);
    expect(away.statements()).toBe(1);
    await away.close();
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: expect.any(DatabaseUnavailable) });
    }
  });
});
