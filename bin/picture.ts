import { Command } from 'commander';
import { ConfigurationError } from '../lib/config/configuration-error.ts';

/** `npm run picture`: draws `docs/architecture.svg`. */
new Command('npm run picture --')
  .description('Draws docs/architecture.svg from the templates of one stage.')
  .parse();

// The CDK takes a second to load; a mistake on the command line should not wait for it.
const { writePicture } = await import('../lib/architecture/picture.ts');
try {
  await writePicture();
  console.log('wrote docs/architecture.svg');
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
