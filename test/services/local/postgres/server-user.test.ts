import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sql from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  findPostgresBinaries,
  type PostgresBinaries,
} from '../../../../services/local/postgres/binaries.ts';
import { type Postgres, startPostgres } from '../../../../services/local/postgres/postgres.ts';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { startNodeProgram } from '../../../support/node-program.ts';
import type { StartOutcome } from './programs/start-once.ts';

const START_ONCE = fileURLToPath(new URL('./programs/start-once.ts', import.meta.url));
/** Root as it is in a container that was given none of the rights to pass closed folders. */
const WITHOUT_PASSING = [
  'setpriv',
  '--bounding-set=-dac_override,-dac_read_search',
  '--inh-caps=-all',
];
const DAC_OVERRIDE = 1n << 1n;
const DAC_READ_SEARCH = 1n << 2n;
const NOBODY = 65_534;

function foldersAbove(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...foldersAbove(parent)];
}

const isLinuxRoot = process.platform === 'linux' && process.getuid?.() === 0;

describe.runIf(isLinuxRoot)('PostgreSQL, when root starts it,', () => {
  let guardian: Guardian;
  /** Root's alone: mode 700. */
  let closed: string;
  let postgres: Postgres | undefined;

  beforeAll(() => {
    guardian = startGuardian();
  });
  beforeEach(() => {
    closed = guardian.createTemporaryDirectory('headroom-test-');
  });
  afterEach(async () => {
    await postgres?.stop();
    postgres = undefined;
  });
  afterAll(() => guardian.close());

  async function start(directory: string, binaries?: PostgresBinaries): Promise<Postgres> {
    postgres = await startPostgres({
      directory,
      database: 'headroom',
      durable: false,
      guardian,
      primaryPort: 0,
      replicaPort: 0,
      ...(binaries && { binaries }),
    });
    return postgres;
  }

  /** PostgreSQL's programs in the folder of the test, with these rights. */
  async function copyPrograms(mode: string): Promise<PostgresBinaries> {
    const installed = await findPostgresBinaries();
    execFileSync('cp', ['-a', dirname(dirname(installed.postgres)), join(closed, 'native')]);
    execFileSync('chmod', ['-R', mode, join(closed, 'native')]);
    const bin = join(closed, 'native', 'bin');
    return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
  }

  /** User and effective capabilities of the primary and the replica. */
  function identities({ primary, replica }: Postgres): { userId: number; capabilities: bigint }[] {
    return [primary, replica].map(({ processId }) => {
      const status = readFileSync(`/proc/${processId}/status`, 'utf8');
      return {
        userId: Number(/^Uid:\t(\d+)/m.exec(status)?.[1]),
        capabilities: BigInt(`0x${/^CapEff:\t([0-9a-f]+)/m.exec(status)?.[1]}`),
      };
    });
  }

  it('runs as another user without any capability, when all folders are open', async () => {
    chmodSync(closed, 0o755);
    // The checkout itself may be below a closed folder.
    const servers = await start(join(closed, 'postgres'), await copyPrograms('u=rwX,go=rX'));

    for (const { userId, capabilities } of identities(servers)) {
      expect(userId).toBeGreaterThan(0);
      expect(capabilities).toBe(0n);
    }
  });

  it('may pass closed folders and nothing else, when the data lies below one', async () => {
    for (const { userId, capabilities } of identities(await start(join(closed, 'postgres')))) {
      expect(userId).toBeGreaterThan(0);
      expect(capabilities).toBe(DAC_READ_SEARCH);
    }
  });

  it.each([
    ['lie below a closed folder', 'u=rwX,go=rX', DAC_READ_SEARCH],
    ['may be executed by root only', 'u=rwX,go=', DAC_OVERRIDE],
  ])('runs all the same, when its programs %s', async (_name, mode, capability) => {
    const servers = await start(join(closed, 'postgres'), await copyPrograms(mode));

    expect(identities(servers).map(({ capabilities }) => capabilities)).toEqual([
      capability,
      capability,
    ]);
    const replica = sql(servers.replica.url, { max: 1 });
    expect(await replica`SELECT pg_is_in_recovery() AS yes`).toEqual([{ yes: true }]);
    await replica.end();
  });

  it('runs as the owner of the data, when there is some already', async () => {
    const directory = join(closed, 'postgres');
    await (await start(directory)).stop();
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, join(directory, 'primary')]);

    const again = await start(directory);

    expect(identities(again).map(({ userId }) => userId)).toEqual([NOBODY, NOBODY]);
  });

  it('says what stands in the way, when root may not let it pass closed folders', async () => {
    const program = startNodeProgram<StartOutcome>(
      START_ONCE,
      [join(closed, 'postgres')],
      WITHOUT_PASSING,
    );

    const { failure } = await program.next();
    const [, folder] =
      /^PostgreSQL does not run as root, and the user \w+, which it would run as, cannot get past (\S+); this root has no right to let it\.$/.exec(
        failure?.message ?? '',
      ) ?? [];
    // The first one in the way: that of the data, or one that the checkout is below.
    expect([closed, ...foldersAbove((await findPostgresBinaries()).postgres)]).toContain(folder);
    expect(failure?.remedy).toContain('Run this as an ordinary user');
    await program.end('SIGTERM');
  });

  it('says that the folder cannot be written to, when it belongs to another user', async () => {
    const theirs = join(closed, 'theirs');
    mkdirSync(theirs, { mode: 0o555 });
    chownSync(theirs, NOBODY, NOBODY);
    const program = startNodeProgram<StartOutcome>(
      START_ONCE,
      [join(theirs, 'postgres')],
      WITHOUT_PASSING,
    );

    expect(await program.next()).toEqual({
      failure: {
        message: `Could not use the folder ${theirs}/postgres: this user may not write there.`,
        remedy: expect.stringContaining(`Give yourself the right to write to ${theirs}/postgres`),
      },
    });
    expect(existsSync(join(theirs, 'postgres'))).toBe(false);
    await program.end('SIGTERM');
  });
});

// Root is refused no folder; what it is told is tested above. Left out for root instead of skipped: there is nothing to make up for.
if (process.getuid !== undefined && !isLinuxRoot) {
  describe('PostgreSQL, when an ordinary user starts it,', () => {
    it('says so, when the folder cannot be written to', async () => {
      const guardian = startGuardian();
      const parent = guardian.createTemporaryDirectory('headroom-test-');
      chmodSync(parent, 0o555);
      const start = startPostgres({
        directory: join(parent, 'postgres'),
        database: 'headroom',
        durable: false,
        guardian,
      });

      await expect(start).rejects.toThrow(
        `Could not use the folder ${parent}/postgres: this user may not write there.`,
      );
      chmodSync(parent, 0o755);
      await guardian.close();
    });
  });
}
