import { enableCompileCache } from 'node:module';
import { ConfigurationError } from '../lib/config/configuration-error.ts';

/**
 * The CDK app: `npx cdk synth` runs it, with `-c stage=…` for one stage, or without for all.
 *
 * A fifth of a synth's time is compiling the CDK and these sources. Node.js keeps what it has compiled in the folder for temporary
 * files, by content; it has to be told before anything else is loaded, and so the app itself is loaded afterwards.
 */
enableCompileCache();
const { synthesise } = await import('../lib/stacks/synthesise.ts');

try {
  synthesise();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
