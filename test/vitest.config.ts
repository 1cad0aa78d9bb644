import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SlowFirst } from './support/slow-first.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
// Suites start some hundred programs, most of them several times.
process.env.NODE_COMPILE_CACHE ??= `${root}node_modules/.cache/compiled`;

/** What is waited for may take long on a machine that has other things to do; vitest's own limit is a second. */
const expectOptions = { poll: { timeout: 15_000 } };

/** What every project has: sizes of property tests that are what they say, and the test of that. */
const setupFiles = ['test/support/property-sizes.ts'];
const sizesTest = 'test/support/property-sizes.test.ts';

/** `system` has real PostgreSQL, Redis and SQS beside it; the other projects start what they need themselves. */
export default defineConfig({
  test: {
    // One file more than there are cores: the suites wait for servers and timeouts more than they compute.
    maxWorkers: availableParallelism() + 1,
    // A worker runs one file after the other with the modules that are loaded already, which saves a fifth of the whole. Nothing
    // happens at import time here, so no file sees what another has done; a suite that changes a global puts it back.
    isolate: false,
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        root,
        test: {
          name: 'infrastructure',
          include: ['test/lib/**/*.test.ts', sizesTest],
          // `npm run test:cfn-lint` has it: it takes a quarter of a minute, and a program of Python.
          exclude: ['test/lib/cfn-lint.test.ts'],
          setupFiles,
          globalSetup: ['test/lib/support/global-setup.ts'],
          // The CDK's own validation takes seconds, and `cdk synth` has it: cdk-command-line.test.ts.
          env: { CDK_VALIDATION: 'false' },
          // What computes takes long on cores that others use, too.
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        root,
        test: {
          name: 'system',
          include: [
            'test/services/**/*.test.ts',
            'test/lambda-workers/**/*.test.ts',
            'test/performance/**/*.test.ts',
            'test/mutation/**/*.test.ts',
            sizesTest,
          ],
          // `npm run test:how-to` has it, with what else changes a copy of the checkout and compiles it.
          exclude: ['test/services/user-api/users/new-field.test.ts'],
          setupFiles,
          globalSetup: ['test/support/global-setup.ts'],
          expect: expectOptions,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        root,
        test: {
          name: 'start',
          include: ['test/bin/*.test.ts', sizesTest],
          setupFiles,
          // One file at a time, after the others: two systems that start at once have been seen to end one another's servers.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          expect: expectOptions,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
