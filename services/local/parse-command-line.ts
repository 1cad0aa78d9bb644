import { type Command, CommanderError } from 'commander';
import { LocalFailure } from './local-failure.ts';

/**
 * Parses a command line without printing or exiting.
 *
 * @returns the help text for `--help`, else null.
 * @throws {@link LocalFailure} naming what is unknown or wrong, with the nearest option.
 */
export function parseCommandLine(command: Command, words: readonly string[]): string | null {
  let help = '';
  command
    .allowExcessArguments(command.registeredArguments.some(({ variadic }) => variadic))
    .configureOutput({
      writeOut: (text) => {
        help += text;
      },
      writeErr: () => {},
    })
    .exitOverride();
  try {
    command.parse(words, { from: 'user' });
    return null;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return help;
    throw new LocalFailure(
      error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '),
      `See ${command.name()} --help for the options there are.`,
    );
  }
}
