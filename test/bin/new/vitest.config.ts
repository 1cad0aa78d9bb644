import { defineConfig } from 'vitest/config';

/** Of suites in a copy of the checkout, which has its own root. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/bin/new/provide.ts'],
    env: { CDK_VALIDATION: 'false' },
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 60_000,
    maxWorkers: 1,
    isolate: false,
  },
});
