import { ConfigurationError } from '../lib/config/configuration-error.ts';
import { synthesise } from '../lib/stacks/synthesise.ts';

/** The CDK app: `npx cdk synth` runs it, with `-c stage=…` for one stage, or without for all. */

try {
  synthesise();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
