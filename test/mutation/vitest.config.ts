import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { keptThread } from './kept-thread.ts';
import { ShortestFirst } from './shortest-first.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const setupFiles = ['test/support/property-sizes.ts', 'test/mutation/setup.ts'];
const pool = keptThread();

export default defineConfig({
  plugins: [
    {
      name: 'kept-thread',
      // StrykerJS sets a pool of vitest's own on the command line, which has precedence over the configuration.
      configureVitest({ vitest }) {
        for (const { config } of vitest.projects) {
          config.pool = pool.name;
          config.poolRunner = pool;
        }
      },
    },
  ],
  test: {
    isolate: false,
    sequence: { sequencer: ShortestFirst },
    projects: [
      {
        root,
        test: {
          name: 'infrastructure',
          include: ['test/lib/**/*.test.ts'],
          setupFiles,
          isolate: false,
          globalSetup: ['test/lib/support/global-setup.ts'],
          env: { CDK_VALIDATION: 'false' },
          testTimeout: 180_000,
        },
      },
      {
        root,
        test: {
          name: 'system',
          include: ['test/services/**/*.test.ts', 'test/lambda-workers/**/*.test.ts'],
          setupFiles,
          isolate: false,
          globalSetup: ['test/support/global-setup.ts'],
          env: { KEEP_DATABASES: 'true' },
          expect: { poll: { timeout: 5_000 } },
          // What takes too long counts as noticed, so that a busy machine must not make it so.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
