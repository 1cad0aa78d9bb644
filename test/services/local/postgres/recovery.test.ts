import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Postgres, startPostgres } from '../../../../services/local/postgres/postgres.ts';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { isAlive } from '../../../../services/local/process/process-life.ts';
import { startNodeProgram } from '../../../support/node-program.ts';
import { system } from '../../../support/system.ts';
import type { OwnerMessage } from './programs/postgres-owner.ts';
import { query } from './query.ts';

const OWNER = fileURLToPath(new URL('./programs/postgres-owner.ts', import.meta.url));
const WAIT = { timeout: 20_000, interval: 20 };

let guardian: Guardian;
let directory: string;
let progress: string[];
let postgres: Postgres | undefined;

beforeAll(async () => {
  guardian = startGuardian();
  directory = join(guardian.createTemporaryDirectory('headroom-test-'), 'postgres');
  const first = await start();
  await query(first.primary.url, 'CREATE TABLE note (text text)');
  await first.stop();
});
afterEach(() => postgres?.stop());
afterAll(() => guardian.close());

async function start(): Promise<Postgres> {
  progress = [];
  postgres = await startPostgres({
    directory,
    database: 'headroom',
    durable: false,
    guardian,
    primaryPort: 0,
    replicaPort: 0,
    onProgress: (message) => progress.push(message),
  });
  return postgres;
}

/** Writes a row to the primary and waits until the replica shows it. */
async function expectReplication({ primary, replica }: Postgres): Promise<void> {
  const text = `note ${performance.now()}`;
  await query(primary.url, `INSERT INTO note VALUES ('${text}')`);
  await expect
    .poll(() => query(replica.url, `SELECT text FROM note WHERE text = '${text}'`), WAIT)
    .toEqual([{ text }]);
}

describe('PostgreSQL, when the process that started it was killed', () => {
  it('ends by itself and starts again with nothing to repair', async () => {
    const owner = startNodeProgram<OwnerMessage>(OWNER, [directory]);
    const { primary, replica } = await owner.next();
    expect([primary, replica].map(isAlive)).toEqual([true, true]);

    await owner.end('SIGKILL');

    await expect.poll(() => [primary, replica].map(isAlive), WAIT).toEqual([false, false]);
    await expectReplication(await start());
    expect(progress).toEqual([]);
  });

  it('is stopped by the next start, which says so, when its guardian was killed, too', async () => {
    const owner = startNodeProgram<OwnerMessage>(OWNER, [directory]);
    const leftover = await owner.next();
    process.kill(leftover.guardian, 'SIGKILL');
    await owner.end('SIGKILL');
    expect([leftover.primary, leftover.replica].map(isAlive)).toEqual([true, true]);

    await expectReplication(await start());

    expect([leftover.primary, leftover.replica].map(isAlive)).toEqual([false, false]);
    expect(progress).toEqual([
      `Stopped PostgreSQL (process ${leftover.replica}) of an earlier run that was killed`,
      `Stopped PostgreSQL (process ${leftover.primary}) of an earlier run that was killed`,
    ]);
  });
});

describe('PostgreSQL, when its servers were killed', () => {
  it('recovers what was committed and leaves alone the server that has the number in its pid file now', async () => {
    // A server of the same user on other data: PostgreSQL takes it for one on this data.
    const other = system().postgres.primary.processId;
    const before = await start();
    await query(before.primary.url, "INSERT INTO note VALUES ('committed')");
    process.kill(before.replica.processId, 'SIGKILL');
    process.kill(before.primary.processId, 'SIGKILL');
    await before.stop();
    for (const server of ['primary', 'replica']) {
      writeFileSync(join(directory, server, 'postmaster.pid'), `${other}\n${directory}\n`);
    }

    const after = await start();

    expect(
      await query(after.primary.url, "SELECT text FROM note WHERE text = 'committed'"),
    ).toEqual([{ text: 'committed' }]);
    await expectReplication(after);
    expect(isAlive(other)).toBe(true);
    expect(progress).toEqual([]);
  });
});

describe('the replica, when it cannot go on as it is', () => {
  it('is recreated, when its control file is damaged', async () => {
    writeFileSync(join(directory, 'replica', 'global', 'pg_control'), Buffer.alloc(8_192, 7));

    await expectReplication(await start());

    expect(progress).toEqual([expect.stringMatching(/^Making the PostgreSQL replica again: /)]);
  });

  it('is recreated, when it was promoted', async () => {
    const before = await start();
    await query(before.replica.administratorUrl, 'SELECT pg_promote()');
    await before.stop();

    await expectReplication(await start());

    expect(progress).toEqual([
      'Making the PostgreSQL replica again: it was promoted and is no longer a replica',
    ]);
  });

  it('is recreated, when the primary lost the slot that kept its place', async () => {
    const before = await start();
    process.kill(before.replica.processId, 'SIGKILL');
    await expect
      .poll(
        () => query(before.primary.administratorUrl, 'SELECT active FROM pg_replication_slots'),
        WAIT,
      )
      .toEqual([{ active: false }]);
    await query(before.primary.administratorUrl, "SELECT pg_drop_replication_slot('replica')");
    await before.stop();

    await expectReplication(await start());

    expect(progress).toEqual([
      'Making the PostgreSQL replica again: the primary has no replication slot for it',
    ]);
  });
});
