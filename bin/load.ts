import { createInterface } from 'node:readline/promises';
import { reportFailure } from '../services/local/system/screen.ts';
import { load } from '../test/performance/load/command.ts';

/** `npm run load`: see docs/load-testing.md. */
const stopAsked = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (stopAsked.signal.aborted) process.exit(130);
    stopAsked.abort(new Error(name));
  });
}

async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const response = await terminal.question(question, { signal: stopAsked.signal });
    return /^y(es)?$/i.test(response.trim());
  } finally {
    terminal.close();
  }
}

try {
  await load(process.argv.slice(2), {
    environment: process.env,
    output: process.stdout,
    ask: process.stdin.isTTY ? ask : null,
    signal: stopAsked.signal,
  });
} catch (error) {
  if (!stopAsked.signal.aborted) reportFailure(error);
  process.exitCode = 1;
}
