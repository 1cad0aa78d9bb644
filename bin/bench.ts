import { reportFailure } from '../services/local/system/screen.ts';
import { bench } from '../test/bench/command.ts';

/** `npm run bench`: see docs/performance.md. */
try {
  await bench(process.argv.slice(2), process.stdout);
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
