import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sizeStage } from '../../lib/capacity/size-stage.ts';
import { ConfigurationError } from '../../lib/config/configuration-error.ts';
import { production } from '../../lib/config/stages/production.ts';
import { findStage } from '../../lib/config/stages.ts';
import { checkTimeouts, timeouts } from '../../lib/config/timeouts.ts';
import { validateWorkers } from '../../lib/config/validate-workers.ts';
import { workers } from '../../lib/config/workers.ts';
import { repositoryRoot } from './support/synthesise.ts';

const page = readFileSync(join(repositoryRoot, 'docs/infrastructure.md'), 'utf8');

/** A mistake of a platform engineer, and the lines of what it ends with. */
const mistakes: readonly (readonly [what: string, make: () => unknown])[] = [
  ['a stage that does not exist', () => findStage('prod')],
  [
    'a key that is mistyped',
    () => {
      const { readPercent, ...workload } = production.workload;
      sizeStage(
        Object.assign({ ...production }, { workload: { ...workload, readPrecent: readPercent } }),
      );
    },
  ],
  [
    '200 tasks with too large a pool',
    () =>
      sizeStage({
        ...production,
        overrides: {
          'service.maximumTasks': { to: 200, because: 'the load test of March' },
          'service.databasePoolSize': { to: 20, because: 'queries waited' },
        },
      }),
  ],
  [
    'memory that Fargate does not sell',
    () =>
      sizeStage({
        ...production,
        overrides: { 'service.memoryMebibytes': { to: 9_000, because: 'a guess of ours' } },
      }),
  ],
  [
    'a stage that costs too much',
    () =>
      sizeStage({ ...production, policy: { ...production.policy, spendCeilingDollars: 5_000 } }),
  ],
  ['a timeout out of order', () => checkTimeouts({ ...timeouts, edgeRead: 45 })],
  [
    'a visibility timeout that is too short',
    () => validateWorkers(workers.map((worker) => ({ ...worker, visibilityTimeoutSeconds: 60 }))),
  ],
];

/** Figures follow from unit costs and prices, which will be measured and will change; what is said of them is what the page shows. */
const withoutFigures = (text: string): string => text.replaceAll(/\d[\d,.]*\b/g, '#');

describe('docs/infrastructure.md', () => {
  it.each(mistakes)('of %s, has every line that it ends with', (_what, make) => {
    let problems: readonly string[] = [];
    try {
      make();
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      problems = error.problems;
    }
    expect(problems).not.toEqual([]);
    const lines = page.split('\n').map(withoutFigures);
    for (const problem of problems) expect(lines).toContain(withoutFigures(problem));
  });
});
