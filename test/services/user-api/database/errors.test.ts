import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NoSlot } from '../../../../services/contracts/concurrency/concurrency-limiter.ts';
import { DatabaseTimeout } from '../../../../services/contracts/database/errors.ts';
import {
  classifyReadFailure,
  isDuplicateOf,
  isFailover,
  isServerFault,
  isViolationOf,
  outcomeOf,
  StatementNotSent,
} from '../../../../services/user-api/database/errors.ts';
import { system } from '../../../support/system.ts';

let sql: Sql;
beforeAll(() => {
  sql = postgres(system().postgres.primary.url, { max: 1 });
});
afterAll(() => sql.end());

/** The error of postgres.js for an error of the server. */
async function errorOfServer(code: string, constraint = 'some_constraint'): Promise<unknown> {
  return await sql
    .unsafe(
      `do $$ begin raise exception using errcode = '${code}', constraint = '${constraint}'; end $$`,
    )
    .catch((error: unknown) => error);
}

const judge = (error: unknown) => [
  isServerFault(error),
  outcomeOf(error),
  classifyReadFailure(error),
  isFailover(error),
];

const withCode = (code: unknown) => Object.assign(new Error('It failed'), { code });

describe('a failure of a statement', () => {
  it.each([
    ['08000', true, 'unknown', 'server', false],
    ['08003', true, 'unknown', 'server', false],
    ['08006', true, 'unknown', 'server', false],
    ['08P01', true, 'not applied', 'server', false],
    ['25006', true, 'not applied', 'server', true],
    ['28P01', true, 'not applied', 'server', false],
    ['3D000', true, 'not applied', 'server', false],
    ['40001', true, 'not applied', 'try another', false],
    ['40P01', true, 'not applied', 'server', false],
    ['53300', true, 'not applied', 'server', false],
    ['55P03', true, 'not applied', 'server', false],
    ['57014', true, 'not applied', 'statement', false],
    ['57P01', true, 'unknown', 'server', true],
    ['57P02', true, 'unknown', 'server', false],
    ['57P05', true, 'unknown', 'server', false],
    ['58030', true, 'not applied', 'server', false],
    ['22012', false, 'not applied', 'statement', false],
    ['23505', false, 'not applied', 'statement', false],
    ['25P02', false, 'not applied', 'statement', false],
    ['42P01', false, 'not applied', 'statement', false],
  ])(
    'with SQLSTATE %s: server at fault %s, %s, a read blames the %s, failover %s',
    async (code, ...expected) => {
      const error = await errorOfServer(code);
      expect(error).toMatchObject({ name: 'PostgresError', code });
      expect(judge(error)).toEqual(expected);
    },
  );

  it.each([
    ['a timeout after it was sent', new DatabaseTimeout('', true), true, 'unknown', 'server'],
    ['a timeout before it was sent', new DatabaseTimeout('', false), true, 'not applied', 'server'],
    ['no connection', new StatementNotSent(''), true, 'not applied', 'server'],
    ['no slot in the queue', new NoSlot(''), true, 'not applied', 'try another'],
    ['a socket', withCode('ECONNRESET'), true, 'unknown', 'server'],
    ['a connection of postgres.js', withCode('CONNECTION_CLOSED'), true, 'unknown', 'server'],
    ['misuse of postgres.js', withCode('UNDEFINED_VALUE'), false, 'unknown', 'statement'],
    ['a code that is no text', withCode(5), false, 'unknown', 'statement'],
    ['our own code', new TypeError(''), false, 'unknown', 'statement'],
    ['something that is no error', { code: 'ECONNRESET' }, false, 'unknown', 'statement'],
  ])('of %s is classified', (_what, error, ...expected) => {
    expect(judge(error)).toEqual([...expected, false]);
  });
});

describe('a violated constraint', () => {
  it('is recognised by its kind and its name', async () => {
    const duplicate = await errorOfServer('23505', 'users_email');
    const violation = await errorOfServer('23514', 'users_email');
    const other = await errorOfServer('23505', 'users_name');
    expect([duplicate, violation, other].map((each) => isDuplicateOf(each, 'users_email'))).toEqual(
      [true, false, false],
    );
    const otherViolation = await errorOfServer('23514', 'users_name');
    expect(
      [duplicate, violation, otherViolation].map((each) => isViolationOf(each, 'users_email')),
    ).toEqual([false, true, false]);
    const copied = { code: '23505', constraint_name: 'users_email' };
    expect([isDuplicateOf(copied, 'users_email'), isViolationOf(copied, 'users_email')]).toEqual([
      false,
      false,
    ]);
  });
});
