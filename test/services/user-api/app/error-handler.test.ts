import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Context } from 'hono';
import { describe, expect, it } from 'vitest';
import { ChangeScope, ScopeEnded } from '../../../../services/contracts/changes/change-scope.ts';
import { createErrorHandler, errorRows } from '../../../../services/user-api/app/error-handler.ts';
import { AccessError, UserNotFound } from '../../../../services/user-api/auth/errors.ts';
import { ReadsShed } from '../../../../services/user-api/cache/loads.ts';
import {
  DatabaseBusy,
  DatabaseUnavailable,
} from '../../../../services/user-api/database/errors.ts';
import { RequestAborted } from '../../../../services/user-api/http/body.ts';
import type { ApiEnvironment } from '../../../../services/user-api/http/environment.ts';
import { Problem } from '../../../../services/user-api/http/problem.ts';
import { problemTypes } from '../../../../services/user-api/http/problem-types.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { RequestRecord } from '../../../../services/user-api/observability/requests/request-observer.ts';
import {
  EmailTaken,
  IdempotencyKeyInUse,
  IdempotencyKeyReused,
  IdempotentResponseErased,
  VersionMismatch,
} from '../../../../services/user-api/users/errors.ts';

/** What the handler reads of a request. */
function request(changes?: ChangeScope) {
  const record = Object.assign(new RequestRecord(), { route: '/route' });
  const env = { incoming: { requestId: 'request-1' }, changes, record };
  // Nothing else of it is looked at.
  return { record, context: { env } as unknown as Context<ApiEnvironment> };
}

async function responseTo(error: Error, changes?: ChangeScope) {
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(
    { LOG_LEVEL: 'info', STAGE: 'test' },
    { write: (line) => void log.push(JSON.parse(line)) },
  );
  const { context, record } = request(changes);
  const response = await createErrorHandler(logger)(error, context);
  const text = await response.text();
  const body = text === '' ? null : JSON.parse(text);
  return { record, log, response, body };
}

const unavailable = (outcome: 'not applied' | 'unknown') =>
  new DatabaseUnavailable('The writer', { outcome });
const busy = new DatabaseBusy('The writer', { outcome: 'not applied' });
const retried = { 'retry-after': expect.stringMatching(/^[123]$/) };

describe('an error that a service throws, becomes its problem:', () => {
  it.each<[Error, keyof typeof problemTypes, detail: string, headers?: object, more?: object]>([
    [
      new Problem('uri-too-long', 'Long.', { headers: { a: 'b' } }),
      'uri-too-long',
      'Long.',
      { a: 'b' },
    ],
    [
      new AccessError('forbidden', 'No.', { retryAfterSeconds: 7, challenge: 'Bearer' }),
      'forbidden',
      'No.',
      { 'retry-after': '7', 'www-authenticate': 'Bearer' },
    ],
    [new UserNotFound(), 'user-not-found', 'There is no user with this id.'],
    [
      new EmailTaken(),
      'email-taken',
      'Another user has this email address.',
      {},
      { errors: [{ pointer: '/email', detail: 'is taken by another user' }] },
    ],
    [
      new VersionMismatch(7),
      'precondition-failed',
      'The preconditions do not allow the version that the user has now, which is "v7".',
      { etag: '"v7"' },
      { currentVersion: 7 },
    ],
    [
      new IdempotencyKeyInUse(),
      'idempotency-key-in-use',
      'Another request with this Idempotency-Key is being done.',
      retried,
    ],
    [
      new IdempotencyKeyReused(),
      'idempotency-key-reused',
      'This Idempotency-Key was sent with another body before.',
    ],
    [
      new IdempotentResponseErased(),
      'idempotent-answer-erased',
      'The user whom this Idempotency-Key has created was deleted.',
    ],
    [new ReadsShed(), 'overloaded', 'Too many requests wait for the database.', retried],
    [busy, 'overloaded', 'Too many requests wait for the database.', retried],
    [new ScopeEnded(), 'deadline-exceeded', 'The request was not done in time.', retried],
    [
      unavailable('not applied'),
      'database-unavailable',
      'The database did not answer in time.',
      retried,
    ],
    [unavailable('unknown'), 'outcome-unknown', 'The response of the database was lost.', retried],
    [new Error('Secret'), 'internal-error', 'The request could not be done.'],
  ])('%s, %s', async (error, slug, detail, headers = {}, more = {}) => {
    const { body, record, response } = await responseTo(error);
    const { status, title } = problemTypes[slug];
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...headers,
    });
    const type = `/problems/${slug}`;
    expect(body).toEqual({ type, title, status, detail, requestId: 'request-1', ...more });
    expect(record.problem).toBe(slug);
  });
});

describe('a change that may have been made before a later step failed', () => {
  it.each([
    [busy, 'outcome-unknown'],
    [new ScopeEnded(), 'outcome-unknown'],
    [unavailable('not applied'), 'outcome-unknown'],
    [new Problem('password-hashing-busy', ''), 'outcome-unknown'],
    [new Problem('sessions-unavailable', ''), 'outcome-unknown'],
    [new UserNotFound(), 'user-not-found'],
  ])('with %s, is answered %s', async (error, slug) => {
    const changes = new ChangeScope();
    changes.sending(() => {})('applied or unknown');
    expect((await responseTo(error, changes)).record.problem).toBe(slug);
    const unchanged = await responseTo(error, new ChangeScope());
    expect(unchanged.body.type).not.toBe('/problems/outcome-unknown');
  });
});

describe('the log', () => {
  it.each<[Error, level: string | null]>([
    [new Error('Ours'), 'error'],
    [unavailable('not applied'), 'warn'],
    [unavailable('unknown'), 'warn'],
    [new UserNotFound(), null],
    [busy, null],
    [new Problem('password-hashing-busy', ''), null],
  ])('after %s has a line of level %s', async (error, level) => {
    const { log } = await responseTo(error);
    const line = { level, message: 'The request failed', requestId: 'request-1', route: '/route' };
    expect(log).toMatchObject(level === null ? [] : [line]);
    expect(log).toHaveLength(level === null ? 0 : 1);
  });
});

it('a client that has gone is answered nothing', async () => {
  const { body, log, record, response } = await responseTo(new RequestAborted('Gone'));
  expect([response.status, body, record.problem, log]).toEqual([499, null, null, []]);
});

/** Errors that no request causes. */
const INTERNAL = [
  // They end a program at its start, or a command.
  ...['ListenError', 'MigrationsInProgress', 'NobodyToAppoint', 'PolicyError'],
  ...['UnsafeMigration', 'UnusableSigningKeys'],
  // Damaged data: internal-error.
  'MalformedPasswordHash',
  // The cause of a DatabaseUnavailable.
  'StatementNotSent',
  // Nobody is left to answer.
  'RequestAborted',
  // Of the internal port, and of the client.
  ...['DiagnosticsBusy', 'DiagnosticsFailed', 'ApiProblem', 'ApiUnreachable', 'UnexpectedResponse'],
];

it('every class of errors of the service has a row in the table, or is listed as internal', async () => {
  const root = fileURLToPath(new URL('../../../../services/user-api/', import.meta.url));
  const isRow = new Set<unknown>(errorRows.map(({ type }) => type));
  const withoutRow: string[] = [];
  for await (const file of glob('**/*.ts', { cwd: root })) {
    if (!/^export class \w+ extends \w+/m.test(readFileSync(root + file, 'utf8'))) continue;
    for (const [name, value] of Object.entries<unknown>(await import(root + file))) {
      const isError = typeof value === 'function' && value.prototype instanceof Error;
      if (isError && !isRow.has(value)) withoutRow.push(name);
    }
  }
  expect(withoutRow.toSorted()).toEqual(INTERNAL.toSorted());
  expect(isRow.size).toBe(errorRows.length);
});

it('an error of a subclass without a row becomes the problem of its class', async () => {
  class ReaderUnavailable extends DatabaseUnavailable {}
  const { body } = await responseTo(new ReaderUnavailable('', { outcome: 'not applied' }));
  expect(body.type).toBe('/problems/database-unavailable');
});
