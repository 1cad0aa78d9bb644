import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** `npm run test:cfn-lint`: lints every template with CloudFormation's linter. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('..', import.meta.url)),
    include: ['test/lib/cfn-lint.test.ts'],
    globalSetup: ['test/lib/support/global-setup.ts'],
    // The CDK's own validation takes seconds, and `cdk synth` has it.
    env: { CDK_VALIDATION: 'false' },
    hookTimeout: 300_000,
  },
});
