import { Argument, Command } from 'commander';
import { LocalFailure } from '../services/local/local-failure.ts';
import { parseCommandLine } from '../services/local/parse-command-line.ts';
import { reportFailure } from '../services/local/system/screen.ts';
import { type Kind, writeScaffold } from './new/scaffold.ts';
import { serviceKind } from './new/service.ts';
import { stageKind } from './new/stage.ts';
import { workerKind } from './new/worker.ts';

const kinds: readonly Kind[] = [serviceKind, workerKind, stageKind];

/** `npm run new -- <kind> <name>`: writes the first files of a part, and enters it in its list. */
try {
  const command = new Command('npm run new --')
    .description('Writes the first files of a part, and enters it in the list of its kind.')
    .addArgument(
      new Argument('<kind>', kinds.map(({ name, is }) => `${name}: ${is}`).join('; ')).choices(
        kinds.map(({ name }) => name),
      ),
    )
    // Optional to the parser, which would complain of it before it complains of an unknown kind.
    .argument('[name]', 'lower-case letters, digits and hyphens')
    .usage('<kind> <name>')
    .addHelpText('after', '\nNo file is overwritten. docs/how-to describes each kind.');
  const help = parseCommandLine(command, process.argv.slice(2));
  if (help !== null) process.stdout.write(help);
  else {
    const [word, name] = command.args;
    const kind = kinds.find((one) => one.name === word);
    if (kind === undefined || name === undefined) {
      throw new LocalFailure('A name is missing.', `For example: npm run new -- ${word} orders`);
    }
    const { written, next } = await writeScaffold(kind, name);
    console.log(['Written:', ...written.map((path) => `  ${path}`)].join('\n'));
    console.log(['Next:', ...next.map((step) => `  ${step}`)].join('\n'));
  }
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}
