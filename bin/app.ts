import { Command } from 'commander';
import { ConfigurationError } from '../lib/config/configuration-error.ts';

/** The CDK app: `npx cdk synth` runs it, with `-c stage=…` for one stage, or without for all. */
new Command('node bin/app.ts')
  .description('The CDK app. The CDK runs it, and has the options: npx cdk synth --help')
  .parse();

// The CDK takes a second to load; a mistake on the command line should not wait for it.
const { synthesise } = await import('../lib/stacks/synthesise.ts');
try {
  synthesise();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
