import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

describe('the PostgreSQL of a test run', () => {
  let database: TestDatabase;
  let writer: postgres.Sql;
  let reader: postgres.Sql;
  beforeAll(async () => {
    database = await createDatabase();
    writer = postgres(database.writerUrl);
    reader = postgres(database.readerUrl);
  });
  afterAll(async () => {
    await writer.end();
    await reader.end();
    await database.drop();
  });

  it('sends a row, when it is written to the primary, to the replica', async () => {
    await writer`CREATE TABLE note (text text)`;
    await writer`INSERT INTO note VALUES ('hello')`;
    await expect
      .poll(async () => (await reader`SELECT text FROM note`.catch(() => []))[0]?.text)
      .toBe('hello');
  });

  it('refuses a write, when it is sent to the replica, with SQLSTATE 25006', async () => {
    await expect(reader`CREATE TABLE other (text text)`).rejects.toMatchObject({ code: '25006' });
  });
});
