import { reportFailure } from '../services/local/system/screen.ts';
import { parseArguments } from '../services/local/system/start-options.ts';

/** `npm start`: the whole system on this machine. */
try {
  const startedAt = performance.now();
  const options = parseArguments(process.argv.slice(2));
  if (typeof options === 'string') process.stdout.write(options);
  else {
    // It takes long to load; a mistake on the command line should not wait for it.
    const { runSystem } = await import('./start/run-system.ts');
    await runSystem(options, startedAt);
  }
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
