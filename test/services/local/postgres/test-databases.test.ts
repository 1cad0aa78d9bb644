import sql from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createDatabase,
  createMigratedDatabase,
  type TestDatabase,
} from '../../../support/database.ts';
import { type OwnPostgres, startOwnPostgres } from '../../../support/own-postgres.ts';
import { system } from '../../../support/system.ts';
import { query } from './query.ts';

describe('the databases of suites', () => {
  it('are there on the primary and the replica, apart from each other, when several are made at once', async () => {
    const databases = await Promise.all([createDatabase(), createDatabase(), createDatabase()]);
    for (const { writerUrl, name } of databases) {
      await query(writerUrl, `CREATE TABLE only_in_${name} ()`);
    }

    const tables = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'";
    for (const { writerUrl, readerUrl, name } of databases) {
      expect(await query(writerUrl, tables)).toEqual([{ name: `only_in_${name}` }]);
      expect(await query(readerUrl, 'SELECT current_database() AS name')).toEqual([{ name }]);
      await expect(query(readerUrl, 'CREATE TABLE other ()')).rejects.toMatchObject({
        code: '25006',
      });
    }
    await Promise.all(databases.map(({ drop }) => drop()));
    const [left] = await query(
      system().postgres.primary.administratorUrl,
      `SELECT count(*)::int AS count FROM pg_database WHERE datname IN ('${databases.map(({ name }) => name).join("','")}')`,
    );
    expect(left).toEqual({ count: 0 });
  });

  it('have the tables of the user API, when they are made migrated, several at once', async () => {
    const databases = await Promise.all([createMigratedDatabase(), createMigratedDatabase()]);

    for (const { writerUrl, readerUrl, drop } of databases) {
      expect(await query(readerUrl, "SELECT to_regclass('users')::text AS name")).toEqual([
        { name: 'users' },
      ]);
      await query(writerUrl, "INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.com')");
      await drop();
    }
  });

  it('are dropped, when connections are still open', async () => {
    const database: TestDatabase = await createDatabase();
    const writer = sql(database.writerUrl, { max: 1 });
    const reader = sql(database.readerUrl, { max: 1 });
    await writer`SELECT 1`;
    await reader`SELECT 1`;

    await database.drop();

    await expect(writer`SELECT 1`).rejects.toThrow();
    await Promise.all([writer.end({ timeout: 0 }), reader.end({ timeout: 0 })]);
  });
});

describe('the PostgreSQL of one suite alone', () => {
  let own: OwnPostgres;
  beforeAll(async () => {
    own = await startOwnPostgres();
  });
  afterAll(() => own.stop());

  it('has a replica that lags, when it is set to, until it is reset', async () => {
    await query(own.primary.url, 'CREATE TABLE note (text text)');
    await expect
      .poll(() => query(own.replica.url, "SELECT to_regclass('note')::text AS name"))
      .toEqual([{ name: 'note' }]);
    await own.delayReplica(600_000);

    await query(own.primary.url, "INSERT INTO note VALUES ('late')");

    // It has received the row, as the write-ahead log shows, and yet does not show it.
    await expect
      .poll(() =>
        query(
          own.replica.administratorUrl,
          'SELECT pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn() AS is_behind',
        ),
      )
      .toEqual([{ is_behind: true }]);
    expect(await query(own.replica.url, 'SELECT text FROM note')).toEqual([]);

    await own.delayReplica(0);

    await expect
      .poll(() => query(own.replica.url, 'SELECT text FROM note'))
      .toEqual([{ text: 'late' }]);
  });
});
