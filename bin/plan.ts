import { planCommand } from '../lib/capacity/plan/command.ts';
import { ConfigurationError } from '../lib/config/configuration-error.ts';

/** Columns that are filled where the output is no terminal. */
const STANDARD_WIDTH = 160;

/** `npm run plan`: how large a stage has to be, why, and what it costs. */
try {
  const width = process.stdout.isTTY ? process.stdout.columns : STANDARD_WIDTH;
  process.stdout.write(planCommand(process.argv.slice(2), width));
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
