import { describe, expect, it } from 'vitest';
import { statementSummary } from '../../../../services/contracts/tracing/statement.ts';

describe('statementSummary', () => {
  it.each([
    ['select "id", "name" from "users" where "id" = $1', 'SELECT users'],
    ['insert into users (name) values ($1)', 'INSERT users'],
    ['update "outbox" set a = 1 where id in (select id from "other")', 'UPDATE outbox'],
    ['delete from outbox where id = any($1::uuid[])', 'DELETE outbox'],
    [
      'with "created" as (insert into "users" ("name") values ($1) returning *) select * from created',
      'INSERT users',
    ],
    ['\n  SELECT name\n  FROM users', 'SELECT users'],
  ])('of %j is %j', (statement, summary) => {
    expect(statementSummary(statement)).toBe(summary);
  });

  it.each(['select 1', 'begin', ''])('of %j is none', (statement) => {
    expect(statementSummary(statement)).toBeNull();
  });
});
