import { reportFailure } from '../services/local/system/screen.ts';
import { bench } from '../test/performance/bench/command.ts';

/** `npm run bench`: see docs/performance.md. */
const stopAsked = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // The second time is meant: the guardian ends what this process leaves.
    if (stopAsked.signal.aborted) process.exit(130);
    console.log(`\nStopping (${name}); again to stop at once.`);
    stopAsked.abort(new Error(name));
  });
}

try {
  await bench(process.argv.slice(2), process.stdout, stopAsked.signal);
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
