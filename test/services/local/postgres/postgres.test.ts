import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Postgres, startPostgres } from '../../../../services/local/postgres/postgres.ts';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { isAlive } from '../../../../services/local/process/process-life.ts';
import { canConnect, otherAddresses } from '../../../support/reach.ts';
import { query } from './query.ts';

const WAIT = { timeout: 10_000, interval: 10 };

let guardian: Guardian;
let directory: string;
let postgres: Postgres;
let progress: string[] = [];

function start(): Promise<Postgres> {
  progress = [];
  return startPostgres({
    directory,
    // A name that must be quoted in SQL, in a folder whose name must be quoted in a connection string.
    database: 'Head-room',
    durable: true,
    guardian,
    primaryPort: 0,
    replicaPort: 0,
    onProgress: (message) => progress.push(message),
  });
}

beforeAll(async () => {
  // A developer's own setting for connections: with it, the replica could not log in at the primary.
  vi.stubEnv('PGREQUIREAUTH', 'none');
  guardian = startGuardian();
  directory = join(guardian.createTemporaryDirectory('headroom-test-'), "developer's données");
  postgres = await start();
});
afterAll(async () => {
  await guardian.close();
  vi.unstubAllEnvs();
});

describe('PostgreSQL on this machine, when it has started for the first time', () => {
  it('says so, and makes the database for an owner who is no superuser', async () => {
    expect(postgres.firstStart).toBe(true);
    expect(progress).toEqual([
      'Making the PostgreSQL data folder',
      'Making the PostgreSQL replica',
    ]);
    const rows = await query(
      postgres.primary.url,
      `SELECT current_database() AS database, rolname AS role, rolsuper AS superuser, rolcreaterole AS creates_roles,
         pg_get_userbyid(datdba) AS owner, current_setting('server_version_num')::int / 10000 AS version
       FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()`,
    );
    expect(rows[0]).toEqual({
      database: 'Head-room',
      role: 'headroom',
      superuser: false,
      creates_roles: true,
      owner: 'headroom',
      version: 18,
    });
  });

  it('replicates a row, when one is written to the primary', async () => {
    await query(
      postgres.primary.url,
      "CREATE TABLE note (text text); INSERT INTO note VALUES ('hello')",
    );
    await expect
      .poll(() => query(postgres.replica.url, 'SELECT text FROM note').catch(() => []), WAIT)
      .toEqual([{ text: 'hello' }]);
  });

  it('refuses a write with SQLSTATE 25006, when it is sent to the replica', async () => {
    await expect(
      query(postgres.replica.url, 'CREATE TABLE other (text text)'),
    ).rejects.toMatchObject({
      code: '25006',
    });
  });

  it('lets nobody in, when the password is wrong', async () => {
    const url = new URL(postgres.primary.url);
    url.password = 'wrong';
    await expect(query(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('keeps its passwords from other users', () => {
    expect(statSync(join(directory, 'passwords.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'replica', 'primary.pgpass')).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'primary')).mode & 0o777).toBe(0o700);
  });

  it('can be reached from this machine only', async () => {
    for (const { port } of [postgres.primary, postgres.replica]) {
      expect(await canConnect('127.0.0.1', port)).toBe(true);
      for (const address of otherAddresses()) expect(await canConnect(address, port)).toBe(false);
    }
  });
});

describe('PostgreSQL on this machine, when it is stopped and started again', () => {
  let before: Postgres;
  beforeAll(async () => {
    before = postgres;
    await postgres.stop();
  });

  it('has left no process behind', () => {
    expect(isAlive(before.primary.processId)).toBe(false);
    expect(isAlive(before.replica.processId)).toBe(false);
  });

  it('has its data and its replica as they were', async () => {
    postgres = await start();

    expect(postgres.firstStart).toBe(false);
    expect(progress).toEqual([]);
    expect(await query(postgres.replica.url, 'SELECT text FROM note')).toEqual([{ text: 'hello' }]);
    await query(postgres.primary.url, "INSERT INTO note VALUES ('again')");
    await expect
      .poll(() => query(postgres.replica.url, 'SELECT count(*)::int AS count FROM note'), WAIT)
      .toEqual([{ count: 2 }]);
  });

  it('refuses a second system on the same data', async () => {
    await expect(start()).rejects.toThrow(
      `The folder ${directory} is already in use by a system that is running (process ${process.pid}).`,
    );
    expect(await query(postgres.primary.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});
