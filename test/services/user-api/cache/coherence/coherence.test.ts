import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../../../../services/user-api/database/migrate.ts';
import { sourceOptions } from '../../../../support/node-program.ts';
import { type OwnPostgres, startOwnPostgres } from '../../../../support/own-postgres.ts';
import { describeWithRedis } from '../../../../support/redis.ts';
import type { Outcome } from './check.ts';
import { mutants } from './mutants/mutants.ts';
import type { Task, Tasks } from './program.ts';
import type { ServerUrls } from './servers.ts';

/** How many interleavings are played; some 25 a second. */
const INTERLEAVINGS = Number(process.env.CACHE_INTERLEAVINGS ?? 100);
/** How many interleavings nobody knows are played for each mutant before the known one. */
const SEARCH = Number(process.env.CACHE_MUTANT_INTERLEAVINGS ?? 0);
const LENGTH = 25;
const SEED = Number(process.env.CACHE_SEED ?? 1);
const TIMEOUT_MILLISECONDS = 60_000 + 200 * (INTERLEAVINGS + SEARCH * mutants.length);

/** Has a program do the tasks. */
function run(urls: ServerUrls, tasks: readonly Task[]): Promise<readonly Outcome[]> {
  return new Promise((resolve, reject) => {
    const outcomes: Outcome[] = [];
    const program = fork(join(import.meta.dirname, 'program.ts'), {
      execArgv: [...sourceOptions],
      stdio: ['ignore', 1, 'pipe', 'ipc'],
    });
    let errors = '';
    program.stderr?.on('data', (text) => {
      errors += text;
    });
    program.on('message', (outcome) => outcomes.push(outcome as Outcome));
    program.once('close', () => {
      if (outcomes.length === tasks.length) resolve(outcomes);
      else reject(new Error(`The program ended after ${outcomes.length} tasks. ${errors}`));
    });
    program.send({ urls, tasks } satisfies Tasks);
  });
}

describeWithRedis('the caches, whatever happens to one user', (redis) => {
  let postgres: OwnPostgres;
  let urls: ServerUrls;

  beforeAll(async () => {
    postgres = await startOwnPostgres();
    await migrate(postgres.primary.url);
    urls = {
      writerUrl: postgres.primary.url,
      readerUrl: postgres.replica.url,
      replicaAdministratorUrl: postgres.replica.administratorUrl,
      redisUrl: redis().url,
    };
  });
  afterAll(async () => {
    await postgres.stop();
  });

  it(
    'keep their promises to every read',
    async () => {
      const known = mutants.map(({ interleaving }) => interleaving);
      const interleavings = known.length + INTERLEAVINGS;
      const task = { known, interleavings, length: LENGTH, seed: SEED, shrink: true };
      const [outcome] = await run(urls, [task]);
      expect(outcome, `CACHE_SEED=${SEED}`).toEqual({ interleavings, failure: null });
    },
    TIMEOUT_MILLISECONDS,
  );

  it('have their guards listed in the documentation', async () => {
    const document = await readFile(
      join(import.meta.dirname, '../../../../../docs/cache.md'),
      'utf8',
    );
    const [, section = ''] = document.split(/^## Guards$/m);
    const [guards = ''] = section.split(/^## /m);
    const listed = [...guards.matchAll(/^- (.+)$/gm)];
    expect(listed.map(([, guard]) => guard)).toEqual(mutants.map(({ without }) => without));
  });

  describe('with one guard less', () => {
    let outcomes: readonly Outcome[];

    beforeAll(async () => {
      const searching = { interleavings: SEARCH, length: LENGTH, seed: SEED, shrink: false };
      const tasks = mutants.map((mutant) => ({
        mutant,
        ...(SEARCH > 0
          ? { ...searching, known: [] }
          : { ...searching, known: [mutant.interleaving], interleavings: 1 }),
      }));
      outcomes = await run(urls, tasks);
    }, TIMEOUT_MILLISECONDS);

    it.each(mutants.map(({ without }, place) => [without, place] as const))(
      'break one, and the test finds out: without %s',
      (_, place) => {
        expect(outcomes[place]?.failure?.message).toMatch(/^BrokenPromise: /);
      },
    );
  });
});
