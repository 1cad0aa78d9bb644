import { type Command, CommanderError } from 'commander';
import { LocalFailure } from './local-failure.ts';

/**
 * Parses the words of a command line; nothing is printed, and the process goes on.
 *
 * @returns the help text when `--help` asks for it, else null.
 * @throws {@link LocalFailure} naming what is unknown or wrong, with the nearest option where there is one.
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
