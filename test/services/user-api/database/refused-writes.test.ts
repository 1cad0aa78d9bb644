import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { type ProblemDetails, startTestApi, type TestApi } from '../support/api.ts';

const USERS = 40;
/** Problems that guarantee that the request is not applied, now or later. */
const NOT_APPLIED = [
  '/problems/database-unavailable',
  '/problems/deadline-exceeded',
  '/problems/overloaded',
];

let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await createMigratedDatabase();
  sql = postgres(database.writerUrl, { max: 2 });
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

/** Two processes: one with a single connection, so that its writes wait for each other, and one that works. */
async function startBoth(environment: Readonly<Record<string, string>>) {
  const busy = await startTestApi({
    database,
    environment: { DATABASE_POOL_SIZE: '1', ...environment },
  });
  onTestFinished(() => busy.stop());
  const other = await startTestApi({ database });
  onTestFinished(() => other.stop());
  return { busy, other };
}

async function insertUsers(): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    insert into users (name, email)
    select 'First', gen_random_uuid() || '@example.com' from generate_series(1, ${USERS}) returning id::int`;
  return rows.map(({ id }) => id);
}

const rename = (api: TestApi, id: number, name: string) =>
  api.call<Partial<ProblemDetails>>('PATCH', `/api/v1/users/${id}`, {
    as: 'admin',
    body: { name },
  });

/** Waits until the server has finished the work of the process with one connection. */
async function untilQuiet(): Promise<void> {
  await expect
    .poll(
      async () => {
        const [row] = await sql<{ working: number }[]>`
          select count(*)::int as working from pg_stat_activity
          where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`;
        return row?.working;
      },
      { timeout: 10_000 },
    )
    .toBe(0);
}

describe('a write with a 503 response', () => {
  it('while its process was overloaded, is never applied, and overwrites no acknowledged one', async () => {
    const { busy, other } = await startBoth({ REQUEST_DEADLINE_MILLISECONDS: '300' });
    const ids = await insertUsers();
    await busy.call('GET', '/api/v1/users');
    const refused = await sql.begin(async (transaction) => {
      await transaction`lock table users in share row exclusive mode`;
      return await Promise.all(ids.map((id) => rename(busy, id, 'Refused')));
    });
    for (const id of ids) expect((await rename(other, id, 'Kept')).status).toBe(200);
    await untilQuiet();
    for (const { body, headers, status } of refused) {
      expect(status).toBe(503);
      expect(NOT_APPLIED).toContain(body.type);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const rows = await sql<{ name: string; version: number }[]>`
      select name, version from users where id = any(${ids})`;
    expect(new Set(rows.map(({ name, version }) => `${name} ${version}`))).toEqual(
      new Set(['Kept 2']),
    );
  });

  it('with the server process of its connection frozen, is not applied when that resumes, unless the response was outcome-unknown', async () => {
    const { busy, other } = await startBoth({ DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: '300' });
    const ids = await insertUsers();
    expect((await rename(busy, ids[0] ?? 0, 'Second')).status).toBe(200);
    const [backend] = await sql<{ pid: number }[]>`
      select pid from pg_stat_activity
      where datname = current_database() and application_name = 'headroom-user-api' order by backend_start limit 1`;
    // Not 0, which would stop all processes of the test run.
    if (backend === undefined) throw new Error('The busy process has no connection');
    const { pid } = backend;
    process.kill(pid, 'SIGSTOP');
    const thaw = () => process.kill(pid, 'SIGCONT');
    let responses: Awaited<ReturnType<typeof rename>>[];
    try {
      responses = await Promise.all(ids.map((id) => rename(busy, id, 'Refused')));
      for (const [index, id] of ids.entries()) {
        if (responses[index]?.status === 503) await rename(other, id, 'Kept');
      }
    } finally {
      thaw();
    }
    await untilQuiet();
    // At most one statement was sent to the frozen server process; if it is a change, its outcome is unknown.
    const unknown = responses.filter(({ body }) => body.type === '/problems/outcome-unknown');
    expect(unknown.length).toBeLessThanOrEqual(1);
    const names = new Map(
      (
        await sql<{ id: number; name: string }[]>`
        select id::int, name from users where id = any(${ids})`
      ).map(({ id, name }) => [id, name]),
    );
    for (const [index, id] of ids.entries()) {
      const { body, status } = responses[index] ?? { body: undefined, status: 0 };
      if (status === 200) expect(names.get(id)).toBe('Refused');
      else if (body?.type !== '/problems/outcome-unknown') {
        expect(NOT_APPLIED).toContain(body?.type);
        expect(names.get(id)).toBe('Kept');
      }
    }
  });

  it('as one of several creations that share a statement, is not applied either', async () => {
    const { busy } = await startBoth({ REQUEST_DEADLINE_MILLISECONDS: '300' });
    await busy.call('GET', '/api/v1/users');
    const emails = Array.from({ length: 5 }, () => `${crypto.randomUUID()}@example.com`);
    await sql.begin(async (transaction) => {
      await transaction`lock table users in share row exclusive mode`;
      const create = (email: string) =>
        busy.call<ProblemDetails>('POST', '/api/v1/users', { body: { name: 'X', email } });
      const responses = await Promise.all(emails.map(create));
      for (const { body } of responses) expect(NOT_APPLIED).toContain(body.type);
    });
    await untilQuiet();
    expect(await sql`select from users where email = any(${emails})`).toHaveLength(0);
  });
});
