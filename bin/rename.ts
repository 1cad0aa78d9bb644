import { Command } from 'commander';
import { repositoryRoot } from '../lib/config/repository-root.ts';
import { LocalFailure } from '../services/local/local-failure.ts';
import { parseCommandLine } from '../services/local/parse-command-line.ts';
import { reportFailure } from '../services/local/system/screen.ts';
import { renameProject } from './rename/rename-project.ts';

/** `npm run rename`: makes the project somebody's own. */
try {
  const command = new Command('npm run rename --')
    .description(
      'Renames the project in every file of a clean checkout. For a project that is not deployed yet: names of stacks change.',
    )
    .option('--name <name>', 'name of the project: 2 to 12 lower-case letters and digits')
    .option('--domain <domain>', 'domain that emails are sent from (default: <name>.example)')
    .option(
      '--contact <address>',
      'email address that alarms of every stage go to (default: as it is)',
    )
    .option('--dry-run', 'list what would change, and change nothing', false)
    .addHelpText('after', '\nWhat it leaves, and the next steps: docs/how-to/make-it-yours.md');
  const help = parseCommandLine(command, process.argv.slice(2));
  if (help !== null) process.stdout.write(help);
  else {
    const { name, dryRun, ...rest } = command.opts<{
      name?: string;
      domain?: string;
      contact?: string;
      dryRun: boolean;
    }>();
    if (name === undefined) {
      throw new LocalFailure('A name is missing.', 'For example: npm run rename -- --name acme');
    }
    const counts = await renameProject(repositoryRoot, { name, ...rest }, dryRun);
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    for (const [path, count] of counts)
      if (dryRun) console.log(`${String(count).padStart(5)}  ${path}`);
    console.log(`${total} places in ${counts.size} files ${dryRun ? 'would change' : 'changed'}.`);
    if (!dryRun) {
      console.log(
        [
          'Next:',
          '  npm run format && npm run docs && npm run test:update',
          '  npm test',
          '  git diff --stat  # read it, and commit it',
        ].join('\n'),
      );
    }
  }
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
