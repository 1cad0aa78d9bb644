import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabasePool } from '../../../../services/user-api/database/pool.ts';
import { DatabaseRouter } from '../../../../services/user-api/database/router.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { UserRepository } from '../../../../services/user-api/users/repository.ts';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';

const SILENT = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });
const COUNT = 40;

describe('UserRepository.find, for several users at once', () => {
  let database: TestDatabase;
  let sql: Sql;
  let ids: readonly number[];
  beforeAll(async () => {
    database = await createMigratedDatabase();
    sql = postgres(database.writerUrl, { max: 1 });
    const rows = await sql`
      insert into users (name, email)
      select 'User ' || number, number || '@example.com' from generate_series(1, ${COUNT}) as number
      returning id`;
    ids = rows.map(({ id }) => Number(id));
  });
  afterAll(async () => {
    await sql.end();
    await database.drop();
  });

  async function withRepository(
    test: (repository: UserRepository, statements: () => number) => Promise<void>,
  ): Promise<void> {
    const pool = new DatabasePool({
      name: 'writer',
      url: database.writerUrl,
      connection: {},
      size: 4,
      statementTimeoutMilliseconds: 10_000,
      logger: SILENT,
    });
    const router = new DatabaseRouter({ writer: pool, readers: [] }, SILENT);
    const statements = () => pool.metrics.durations.buckets.reduce((sum, count) => sum + count, 0);
    try {
      await test(new UserRepository(router), statements);
    } finally {
      await router.close();
    }
  }

  it('is one statement, and gives each its own, in whatever order and how often they are asked for', () =>
    withRepository(async (repository, statements) => {
      const [one = 0, other = 0] = ids;
      const unknown = 9_000_000_000_000_000;
      const asked = [other, unknown, one, other];
      const found = await Promise.all(asked.map((id) => repository.find(id, 'reader')));
      expect(found.map((user) => user?.id ?? null)).toEqual([other, null, one, other]);
      expect(found.map((user) => user?.name)).toEqual(['User 2', undefined, 'User 1', 'User 2']);
      expect(statements()).toBe(1);
    }));

  it('of more than go into one statement, finds all with a few', () =>
    withRepository(async (repository, statements) => {
      const found = await Promise.all(ids.map((id) => repository.find(id, 'reader')));
      expect(found.map((user) => user?.id)).toEqual(ids);
      expect(statements()).toBeGreaterThan(1);
      expect(statements()).toBeLessThan(COUNT / 4);
    }));

  it('keeps nothing: who asks after a change sees it', () =>
    withRepository(async (repository) => {
      const [id = 0] = ids;
      const before = await repository.find(id, 'writer');
      await sql`update users set name = 'Renamed', version = version + 1 where id = ${id}`;
      const after = await repository.find(id, 'writer');
      expect([before?.name, after?.name]).toEqual(['User 1', 'Renamed']);
      expect(after?.version).toBe((before?.version ?? 0) + 1);
    }));

  it('when the statement fails, fails for all who share it, and for nobody after them', () =>
    withRepository(async (repository) => {
      await sql`alter table users rename to users_away`;
      const asked = ids.slice(0, 3).map((id) => repository.find(id, 'reader'));
      const failed = await Promise.allSettled(asked);
      await sql`alter table users_away rename to users`;
      expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      expect(await repository.find(ids[1] ?? 0, 'reader')).toMatchObject({ name: 'User 2' });
    }));
});
