import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { migrate } from '../../../../services/user-api/database/migrate.ts';
import { API_ROLE, grantRoles } from '../../../../services/user-api/database/roles.ts';
import { createDatabase, type TestDatabase } from '../../../support/database.ts';
import { system } from '../../../support/system.ts';

/** The letters 'headroom'. */
const MIGRATION_LOCK = 0x68656164726f6f6dn;

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

function connect(url: string): Sql {
  const client = postgres(url, { max: 1, onnotice: () => {} });
  onTestFinished(() => client.end({ timeout: 1 }));
  return client;
}

describe('migrate', () => {
  it('while another run holds the lock for too long, gives up and says what to do', async () => {
    const other = connect(database.writerUrl);
    await other`select pg_advisory_lock(${MIGRATION_LOCK.toString()}::bigint)`;
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const run = migrate(database.writerUrl).catch((error: unknown) => error);
    await expect
      .poll(
        () => other`
          select from pg_stat_activity
          where datname = current_database() and query like '%pg_try_advisory_lock%' and state = 'idle'`,
        { interval: 10 },
      )
      .toHaveLength(1);
    vi.advanceTimersByTime(11 * 60_000);
    expect(await run).toMatchObject({
      name: 'MigrationsInProgress',
      message:
        'Another run has been migrating this database for 11 minutes. Wait until it ends, or terminate its connection (application_name headroom-migrate), and run this again.',
    });
    const [users] = await other`select to_regclass('users') as name`;
    expect(users?.name).toBeNull();
  });
});

describe('grantRoles', () => {
  it('with a role missing and a user who may not create it, does nothing and returns false', async () => {
    const client = connect(system().postgres.primary.administratorUrl);
    // In the catalogue of the whole server: rolled back, so that no other suite sees it.
    await client
      .begin(async (transaction) => {
        await transaction
          .savepoint((inner) => inner.unsafe(`alter role ${API_ROLE} rename to headroom_renamed`))
          // No suite has created it yet.
          .catch(() => {});
        await transaction`set local role pg_monitor`;
        expect(await grantRoles(transaction)).toBe(false);
        throw new Error('roll back');
      })
      .catch((error: Error) => expect(error.message).toBe('roll back'));
  });
});
