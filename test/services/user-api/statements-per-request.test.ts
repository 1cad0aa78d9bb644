import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreatedApiKey } from '../../../services/contracts/api-keys.ts';
import type { Tokens } from '../../../services/contracts/authentication.ts';
import type { User } from '../../../services/contracts/users.ts';
import { permissions } from '../../../services/user-api/auth/permissions.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { type CallOptions, newUser, startTestApi, type TestApi } from './support/api.ts';
import { type StatementCounter, startStatementCounter } from './support/statement-counter.ts';

const PASSWORD = 'a pass phrase of some length';
const HOUR_MILLISECONDS = 3_600_000;

let database: TestDatabase;
let counter: StatementCounter;
let api: TestApi;

beforeAll(async () => {
  database = await createMigratedDatabase();
  counter = await startStatementCounter(database.writerUrl);
  api = await startTestApi({
    database: { writerUrl: counter.through(database.writerUrl) },
    // One connection, so that its opening is over, and no Redis, so that each read asks the database.
    // And no queue, so that nothing is removed from the outbox at some time or other.
    environment: { DATABASE_POOL_SIZE: '1', SQS_ENDPOINT: 'http://127.0.0.1:1' },
    // Nothing but requests asks for anything.
    options: {
      dispatcher: { relayIntervalMilliseconds: HOUR_MILLISECONDS },
      authentication: {
        passwords: { cost: { memoryKibibytes: 64, passes: 1, parallelism: 1 } },
        revocationPollSeconds: 3_600,
        apiKeyUseWriteMilliseconds: HOUR_MILLISECONDS,
      },
    },
  });
  // From the first time on, it is known that the database can be reached.
  await api.call('GET', '/health/ready');
});
afterAll(async () => {
  await api.stop();
  await counter.close();
  await database.drop();
});

/** Adds users, each with keys and much else, so that a statement for each would show. */
async function addUsers(count: number): Promise<void> {
  const sql = postgres(database.writerUrl, { max: 1 });
  await sql`
    with made as (
      insert into users (name, email)
      select 'Many', gen_random_uuid() || '@example.com' from generate_series(1, ${count}) returning id
    ), accounts as (
      insert into accounts (user_id) select id from made
    )
    insert into audit_records (action, subject_id, actor, actor_id)
    select 'user.exported', id, 'self', id from made, generate_series(1, 10)`;
  await sql.end();
}

interface Person {
  readonly user: User;
  readonly fields: { readonly email: string };
  readonly tokens: Tokens;
  readonly key: CreatedApiKey;
}

async function createPerson(): Promise<Person> {
  const fields = newUser({ password: PASSWORD });
  const { body: user } = await api.call<User>('POST', '/api/v1/users', { body: fields });
  const { body: tokens } = await api.call<Tokens>('POST', '/api/v1/auth/login', {
    body: { email: fields.email, password: PASSWORD },
  });
  const { body: key } = await api.call<CreatedApiKey>('POST', `/api/v1/users/${user.id}/api-keys`, {
    as: user.id,
    body: { name: 'key', scopes: ['users:read-private'] },
  });
  return { user, fields, tokens, key };
}

interface Case {
  readonly route: string;
  /** Statements that the response takes. */
  readonly statements: number;
  readonly status: number;
  readonly request: (person: Person) => readonly [path: string, options?: CallOptions];
}

function row(
  route: string,
  statements: number,
  status: number,
  request: Case['request'] = () => [route.split(' ')[1] ?? ''],
): Case {
  return { route, statements, status, request };
}

const own = ({ user }: Person, below = '') => `/api/v1/users/${user.id}${below}`;
const none = [
  'GET /health/live',
  'GET /problems',
  'GET /docs',
  'GET /openapi.json',
  'GET /.well-known/jwks.json',
  'GET /reset-password',
].map((route) => row(route, 0, 200));

/** What each route sends to the database, whatever there is in it. */
const cases: readonly Case[] = [
  ...none,
  row('GET /health', 1, 200),
  row('GET /health/ready', 0, 200),
  row('GET /problems/{slug}', 0, 200, () => ['/problems/forbidden']),
  row('GET /docs/{asset}', 0, 404, () => ['/docs/nothing']),
  row('GET /api/v1/users', 1, 200, () => ['/api/v1/users?limit=100']),
  row('GET /api/v1/users', 2, 200, () => ['/api/v1/users?per_page=100']),
  row('GET /api/v1/users', 1, 200, () => ['/api/v1/users?name_prefix=many&limit=100']),
  row('POST /api/v1/users', 1, 201, () => ['/api/v1/users', { body: newUser() }]),
  row('POST /api/v1/users', 2, 201, () => [
    '/api/v1/users',
    { body: newUser(), headers: { 'idempotency-key': randomUUID() } },
  ]),
  row('GET /api/v1/users/{id}', 1, 200, (person) => [own(person)]),
  row('GET /api/v1/users/{id}', 2, 200, (person) => [
    own(person),
    { headers: { 'x-api-key': person.key.key } },
  ]),
  row('PATCH /api/v1/users/{id}', 1, 200, (person) => [
    own(person),
    { as: person.user.id, body: { name: 'Changed' } },
  ]),
  row('PUT /api/v1/users/{id}', 2, 200, (person) => [
    own(person),
    { as: person.user.id, body: { ...newUser(), status: 'active' } },
  ]),
  row('PUT /api/v1/users/{id}', 1, 200, (person) => [
    own(person),
    { as: 'admin', body: { ...newUser(), status: 'suspended' } },
  ]),
  row('DELETE /api/v1/users/{id}', 1, 204, (person) => [own(person), { as: person.user.id }]),
  row('GET /api/v1/users/{id}/export', 1, 200, (person) => [
    own(person, '/export'),
    { as: person.user.id },
  ]),
  row('PUT /api/v1/users/{id}/role', 1, 200, (person) => [
    own(person, '/role'),
    { as: 'admin', body: { role: 'admin' } },
  ]),
  row('GET /api/v1/users/{id}/api-keys', 1, 200, (person) => [
    own(person, '/api-keys'),
    { as: person.user.id },
  ]),
  // Takes a lock and inserts; between begin and commit.
  row('POST /api/v1/users/{id}/api-keys', 4, 201, (person) => [
    own(person, '/api-keys'),
    { as: person.user.id, body: { name: 'another', scopes: [] } },
  ]),
  row('DELETE /api/v1/users/{id}/api-keys/{apiKeyId}', 1, 204, (person) => [
    own(person, `/api-keys/${person.key.id}`),
    { as: person.user.id },
  ]),
  row('DELETE /api/v1/users/{id}/sessions', 1, 204, (person) => [
    own(person, '/sessions'),
    { as: person.user.id },
  ]),
  row('POST /api/v1/auth/login', 1, 200, ({ fields }) => [
    '/api/v1/auth/login',
    { body: { email: fields.email, password: PASSWORD } },
  ]),
  row('POST /api/v1/auth/refresh', 0, 401, () => [
    '/api/v1/auth/refresh',
    { body: { refreshToken: 'none' } },
  ]),
  row('POST /api/v1/auth/logout', 0, 204, () => [
    '/api/v1/auth/logout',
    { body: { refreshToken: 'none' } },
  ]),
  row('GET /api/v1/auth/me', 1, 200, ({ user }) => ['/api/v1/auth/me', { as: user.id }]),
  row('PUT /api/v1/auth/password', 2, 200, ({ user }) => [
    '/api/v1/auth/password',
    {
      as: user.id,
      body: { currentPassword: PASSWORD, newPassword: 'quite another pass phrase here' },
    },
  ]),
  row('POST /api/v1/auth/password-resets', 1, 202, ({ fields }) => [
    '/api/v1/auth/password-resets',
    { body: { email: fields.email } },
  ]),
  row('POST /api/v1/auth/password-resets/confirm', 1, 400, () => [
    '/api/v1/auth/password-resets/confirm',
    { body: { token: 'none', newPassword: PASSWORD } },
  ]),
];

/** Sends the request of a case, and counts until its response has come. */
async function statementsOf({ request, route, status }: Case): Promise<number> {
  const person = await createPerson();
  // What /health has found out is kept for a quarter of a second.
  if (route === 'GET /health') await wait(300);
  const [path, options] = request(person);
  counter.take();
  const response = await api.call(route.split(' ')[0] ?? '', path, options);
  const statements = counter.take();
  expect(response.status, `${route}: ${response.text}`).toBe(status);
  return statements;
}

describe('statements of a request', () => {
  it('are counted for every route', () => {
    const counted = new Set(cases.map(({ route }) => route));
    const routes = permissions.map(({ method, path }) => `${method} ${path}`);
    expect(routes.filter((route) => !counted.has(route))).toEqual([]);
  });

  it.each(cases)('$route: $statements, however many users there are', async (one) => {
    expect(await statementsOf(one)).toBe(one.statements);
    await addUsers(200);
    expect(await statementsOf(one)).toBe(one.statements);
  });
});
