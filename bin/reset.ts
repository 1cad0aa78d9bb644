import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { LocalFailure } from '../services/local/local-failure.ts';
import { reportFailure } from '../services/local/system/screen.ts';

/** `npm run reset`: deletes the data, logs and mailbox of `npm start`, after a question. */
const { yes } = new Command('npm run reset --')
  .description('Deletes the data, logs, secrets and mailbox of npm start in LOCAL_DIRECTORY.')
  .option('--yes', 'delete without a question', false)
  .parse()
  .opts<{ yes: boolean }>();

async function confirm(root: string): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY) {
    throw new LocalFailure(
      `Nothing is deleted from ${root}: standard input is no terminal to ask on.`,
      'Run npm run reset -- --yes to delete it without a question.',
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const response = await terminal.question(`Delete the local data in ${root}? [y/N] `);
    return /^y(es)?$/i.test(response.trim());
  } finally {
    terminal.close();
  }
}

try {
  const { readEnvironment } = await import('../services/contracts/environment/read.ts');
  const { resetLocalData } = await import('../services/local/system/reset.ts');
  const { LOCAL_DIRECTORY } = readEnvironment(['LOCAL_DIRECTORY'], process.env);
  const root = resolve(LOCAL_DIRECTORY);
  if (await confirm(root)) {
    const deleted = await resetLocalData(root);
    console.log(
      deleted.length === 0
        ? `There is nothing to delete in ${root}.`
        : ['Deleted', ...deleted.map((path) => `  ${path}`)].join('\n'),
    );
  } else {
    console.log('Nothing is deleted.');
  }
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
