import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { loggedError } from '../../../../services/contracts/observability/logged-error.ts';
import { describeWithRedis } from '../../../support/redis.ts';

/** What somebody has sent; with a line that looks like a frame of a stack. */
const VALUE = 'Zaphod\n    at Beeblebrox (heart-of-gold.js:4:2)';
const WORDS = /zaphod|beeblebrox|betelgeuse|heart-of-gold/i;

async function thrownBy(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new Error('It was to throw');
}

/** What PostgreSQL throws for a statement, of the value as a parameter. */
async function fromPostgres(statement: string, parameters = [VALUE]): Promise<unknown> {
  const sql = postgres(inject('system').postgres.primary.url, { max: 1, onnotice: () => {} });
  try {
    return await thrownBy(() => sql.unsafe(statement, parameters));
  } finally {
    await sql.end();
  }
}

const sources: Readonly<Record<string, () => Promise<unknown>>> = {
  'PostgreSQL, of a value that is no number': () => fromPostgres('select $1::text::bigint'),
  'PostgreSQL, of a value that is no date': () => fromPostgres('select $1::text::timestamptz'),
  'PostgreSQL, of a value that is no JSON': () => fromPostgres('select $1::text::jsonb'),
  'PostgreSQL, of a row that is there': () =>
    fromPostgres(
      `do $$ begin
         create temp table t (name text unique);
         insert into t values ('Zaphod'), ('Zaphod');
       end $$`,
      [],
    ),
  'a function of PostgreSQL that raises': () =>
    fromPostgres(`do $$ begin raise exception 'no %', 'Zaphod'; end $$`, []),
  'JSON.parse': () => thrownBy(() => JSON.parse('Zaphod')),
  BigInt: () => thrownBy(() => BigInt(VALUE)),
  RegExp: () => thrownBy(() => new RegExp(`(${VALUE}`)),
  Zod: () => thrownBy(() => z.strictObject({ n: z.enum(['a']) }).parse({ n: 1, [VALUE]: 1 })),
  'an argument of Node.js': () => thrownBy(() => Reflect.apply(Buffer.alloc, Buffer, [VALUE])),
  fetch: () => thrownBy(() => fetch('http://zaphod:beeblebrox@127.0.0.1:1/betelgeuse?zaphod')),
  'a URL in a message': async () =>
    new Error('No response of postgres://zaphod:beeblebrox@127.0.0.1:5432/betelgeuse'),
  'an address in a message': async () => new Error('Rejected: "zaphod b"@betelgeuse.example'),
};

function expectNoValues(error: unknown): void {
  const logged = loggedError(new Error('The request failed', { cause: error }));
  expect(inspect(error, { depth: 5 }), 'the error itself quotes it').toMatch(WORDS);
  expect(inspect(logged, { depth: 9 })).not.toMatch(WORDS);
  expect(logged.cause?.type).toBeTruthy();
}

describe('What is logged of an error', () => {
  it.each(Object.entries(sources))('of %s, has no value in it', async (_, source) => {
    expectNoValues(await source());
  });

  it('of a table that is not there, says which, and where in the code', async () => {
    const logged = loggedError(await fromPostgres('select * from nowhere', []));
    expect(logged).toMatchObject({ code: '42P01', message: 'relation "nowhere" does not exist' });
    expect(logged.stack).toMatch(/^PostgresError: relation "nowhere" does not exist\n {4}at /);
  });

  it('of a connection that is refused, says which host, without the login', () => {
    const { message } = loggedError(new Error('No response of postgres://a:b@db.internal:5432/c'));
    expect(message).toBe('No response of postgres://db.internal:5432/***');
  });
});

describeWithRedis('What is logged of an error of Redis', (redis) => {
  it('has no value of the command in it', async () => {
    const client = new Redis(redis().url);
    try {
      expectNoValues(await thrownBy(() => client.call('NO_SUCH_COMMAND', 'zaphod', VALUE)));
    } finally {
      client.disconnect();
    }
  });
});
