import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Database, type DatabaseSettings } from '../../../lambda-workers/database/database.ts';
import { DatabaseTimeout } from '../../../services/contracts/database/errors.ts';
import { startTcpProxy } from '../../services/user-api/support/tcp-proxy.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { createRotatedLogin } from '../../support/rotated-login.ts';
import { system } from '../../support/system.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await createMigratedDatabase();
});
afterAll(() => server.drop());

function connect(settings: Partial<DatabaseSettings> = {}): Database {
  const database = new Database(
    {
      DATABASE_URL: server.writerUrl,
      DATABASE_AUTHENTICATION: 'password',
      DATABASE_TLS: 'disable',
      AWS_REGION: 'us-east-1',
      DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: 300,
      ...settings,
    },
    'test-worker',
    () => {},
  );
  onTestFinished(() => database.close());
  return database;
}

async function backendId(database: Database): Promise<number> {
  const [row] = await database.run((sql) => sql`select pg_backend_pid() as id`);
  return Number(row?.id);
}

describe('The database connection of a worker', () => {
  it('is one, under the name of the program, for any number of concurrent statements', async () => {
    const database = connect();
    const rows = await Promise.all(
      Array.from({ length: 10 }, () =>
        database.run(
          (sql) => sql`select pg_backend_pid() as id, current_setting('application_name') as name`,
        ),
      ),
    );
    expect(new Set(rows.map(([row]) => row?.id)).size).toBe(1);
    expect(rows[0]?.[0]?.name).toBe('test-worker');
  });

  it('is recreated when the server has ended it, and the statement is run once more', async () => {
    const [database, other] = [connect(), connect()];
    const id = await backendId(database);
    await other.run((sql) => sql`select pg_terminate_backend(${id})`);
    expect(await backendId(database)).not.toBe(id);
  });

  it('is replaced once when many statements fail on it', async () => {
    const [database, other] = [connect(), connect()];
    const id = await backendId(database);
    await other.run((sql) => sql`select pg_terminate_backend(${id})`);
    const ids = await Promise.all(Array.from({ length: 10 }, () => backendId(database)));
    expect(new Set(ids).size).toBe(1);
  });

  it('is replaced when the server is read-only, as after a failover', async () => {
    const proxy = await startTcpProxy(server.readerUrl);
    onTestFinished(() => proxy.close());
    const database = connect({ DATABASE_URL: proxy.through(server.readerUrl) });
    const id = await backendId(database);
    await expect(database.run((sql) => sql`create table not_here (id int)`)).rejects.toMatchObject({
      code: '25006',
    });
    expect(await backendId(database)).not.toBe(id);
  });

  it('is replaced when it gets no response, though it was not closed', async () => {
    const proxy = await startTcpProxy(server.writerUrl);
    onTestFinished(() => proxy.close());
    const database = connect({ DATABASE_URL: proxy.through(server.writerUrl) });
    const id = await backendId(database);
    // As after a network fault: open connections are lost, new ones work.
    proxy.silence();
    await proxy.restore();
    const ids = await Promise.all(Array.from({ length: 10 }, () => backendId(database)));
    expect(new Set(ids).size).toBe(1);
    expect(ids).not.toContain(id);
    // Both ends of the new connection, and none of the old one.
    await expect.poll(() => proxy.connections()).toBe(2);
  });

  it('is opened with the new password after a change', async () => {
    const { changePassword, settings, url } = await createRotatedLogin(server.writerUrl);
    const database = connect({ ...settings, DATABASE_URL: url });
    const id = await backendId(database);
    await changePassword();
    expect(await backendId(database)).toBe(id);
    const administrator = postgres(system().postgres.primary.administratorUrl, { max: 1 });
    onTestFinished(() => administrator.end());
    await administrator`select pg_terminate_backend(${id})`;
    expect(await backendId(database)).not.toBe(id);
  });

  it('cancels a statement that runs for too long', async () => {
    const database = connect({ DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: 50 });
    await expect(database.run((sql) => sql`select pg_sleep(10)`)).rejects.toMatchObject({
      code: '57014',
    });
  });

  it('passes on an error of the statement', async () => {
    let runs = 0;
    const database = connect();
    const failing = database.run((sql) => {
      runs += 1;
      return sql`select * from no_such_table`;
    });
    await expect(failing).rejects.toMatchObject({ code: '42P01' });
    expect(runs).toBe(1);
  });

  it('is closed on request', async () => {
    const [database, other] = [connect(), connect()];
    const id = await backendId(database);
    await database.close();
    await expect
      .poll(() => other.run((sql) => sql`select from pg_stat_activity where pid = ${id}`))
      .toHaveLength(0);
  });
});

/** A query that gets no response. */
const silent = () => new Promise<never>(() => {});

describe('A worker whose database does not respond', () => {
  /** Milliseconds of a stopped clock until the query times out. */
  async function waitOf(database: Database): Promise<number> {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let error: unknown;
    const running = database.run(silent).catch((thrown) => {
      error = thrown;
    });
    let waited = 0;
    for (; error === undefined && waited < 20_000; waited += 100) {
      await vi.advanceTimersByTimeAsync(100);
    }
    await running;
    vi.useRealTimers();
    expect(error).toBeInstanceOf(DatabaseTimeout);
    expect(String(error)).toBe('DatabaseTimeout: PostgreSQL did not respond within 4300 ms');
    return waited;
  }

  it('gives up after two attempts, each of the connect timeout, the statement timeout and 1 s', async () => {
    expect(await waitOf(connect())).toBe(2 * (3_000 + 300 + 1_000));
  });

  it('does not allow for connecting in the first attempt when it is connected', async () => {
    const database = connect();
    await backendId(database);
    expect(await waitOf(database)).toBe(300 + 1_000 + (3_000 + 300 + 1_000));
  });

  it('allows for connecting again when the connection is lost', async () => {
    const proxy = await startTcpProxy(server.writerUrl);
    onTestFinished(() => proxy.close());
    const [database, other] = [
      connect({ DATABASE_URL: proxy.through(server.writerUrl) }),
      connect(),
    ];
    await backendId(database);
    await proxy.refuse();
    // By now its end of the connection has been closed, too.
    await backendId(other);
    expect(await waitOf(database)).toBe(2 * (3_000 + 300 + 1_000));
  });
});

describe('Database.runConfirmed', () => {
  it('reads in a transaction that has written', async () => {
    const database = connect();
    for (const _ of [1, 2]) {
      const [row] = await database.runConfirmed(
        (sql) => sql`select pg_current_xact_id_if_assigned() is not null as written`,
      );
      expect(row).toEqual({ written: true });
    }
    expect(await database.run((sql) => sql`select consumer from idempotency_records`)).toEqual([
      { consumer: 'test-worker' },
    ]);
  });

  it('reads nothing on a read-only server', async () => {
    const query = vi.fn(async () => null);
    const database = connect({ DATABASE_URL: server.readerUrl });
    await expect(database.runConfirmed(query)).rejects.toMatchObject({ code: '25006' });
    expect(query).not.toHaveBeenCalled();
  });
});
