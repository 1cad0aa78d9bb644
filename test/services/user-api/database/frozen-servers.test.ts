import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { User } from '../../../../services/contracts/users.ts';
import { migrate } from '../../../../services/user-api/database/migrate.ts';
import { eventually } from '../../../support/eventually.ts';
import { freeze, type OwnPostgres, startOwnPostgres } from '../../../support/own-postgres.ts';
import { type ProblemDetails, startTestApi, type TestApi } from '../support/api.ts';

const USERS = 30;
const environment = { DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: '300' };

let servers: OwnPostgres;
let ids: number[];

beforeAll(async () => {
  servers = await startOwnPostgres();
  await migrate(servers.primary.url);
  const sql = postgres(servers.primary.url, { max: 1 });
  const rows = await sql<{ id: number }[]>`
    insert into users (name, email)
    select 'First', number || '@example.com' from generate_series(1, ${USERS}) as number returning id::int`;
  await sql.end();
  ids = rows.map(({ id }) => id);
  const replica = postgres(servers.replica.url, { max: 1 });
  await eventually(async () => expect(await replica`select from users`).toHaveLength(USERS));
  await replica.end();
});
afterAll(() => servers.stop());

async function startApi(): Promise<TestApi> {
  const api = await startTestApi({
    database: { writerUrl: servers.primary.url },
    readerUrls: [servers.replica.url],
    environment,
  });
  onTestFinished(() => api.stop());
  return api;
}

/** Freezes a server until the test ends, or the function that it returns is called. */
function frozen(server: OwnPostgres['primary']): () => void {
  const thaw = freeze(server);
  onTestFinished(thaw);
  return thaw;
}

describe('with a frozen reader', () => {
  it('reads go to the writer, and to the reader again when it resumes', async () => {
    const api = await startApi();
    // Without batches: each list is a statement of its own.
    const read = (offset: number) => api.call('GET', `/api/v1/users?per_page=1&page=${offset + 1}`);
    await Promise.all(ids.slice(0, 8).map((_, index) => read(index)));
    const thaw = frozen(servers.replica);
    for (let round = 0; round < 2; round += 1) {
      const responses = await Promise.all(ids.map((_, index) => read(index)));
      expect(responses.filter(({ status }) => status !== 200)).toEqual([]);
    }
    const write = await api.call<User>('PATCH', `/api/v1/users/${ids[0]}`, {
      as: 'admin',
      body: { name: 'Written' },
    });
    expect(write.status).toBe(200);
    thaw();
    await eventually(async () => {
      await read(0);
      expect(api.log.map(({ message }) => message)).toContain('Reader available again');
    });
  });
});

describe('with a frozen writer', () => {
  it('a write is outcome-unknown where it was sent, else not applied, and the next ones succeed when it resumes', async () => {
    const api = await startApi();
    const rename = (id: number, name: string) =>
      api.call<Partial<ProblemDetails>>('PATCH', `/api/v1/users/${id}`, {
        as: 'admin',
        body: { name },
      });
    expect((await rename(ids[0] ?? 0, 'Before')).status).toBe(200);
    const thaw = frozen(servers.primary);
    const responses = await Promise.all(ids.map((id) => rename(id, 'Refused')));
    thaw();
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([503]));
    const unknown = new Set(
      ids.filter((_, index) => responses[index]?.body.type === '/problems/outcome-unknown'),
    );
    await eventually(async () => expect((await rename(ids[0] ?? 0, 'After')).status).toBe(200));
    const sql = postgres(servers.primary.url, { max: 1 });
    onTestFinished(() => sql.end());
    const applied = await sql<{ id: number }[]>`select id::int from users where name = 'Refused'`;
    expect(applied.filter(({ id }) => !unknown.has(id))).toEqual([]);
  });
});
