import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { AdministerOptions } from './administration.ts';
import { ROTATION_LEAD_SECONDS } from './auth/tokens/lifetime.ts';

/**
 * Commands of operators, with the environment of the user API: `npm run administer -- <command>`, or `administer <command>` as the command of
 * the
 * container, whose only program is `main.ts`.
 */

const MAXIMUM_LEAD_HOURS = 8_760;

const DETAILS = `
Keys go to standard output, and are secret: npm run --silent administer -- rotate-signing-keys > keys.json`;

function leadHours(text: string): number {
  const hours = Number(text);
  if (hours > 0 && hours <= MAXIMUM_LEAD_HOURS) return hours;
  throw new InvalidArgumentError(`It takes a number over 0, up to ${MAXIMUM_LEAD_HOURS}.`);
}

/** A command whose output goes to `options`, and whose mistakes are thrown. */
function createCommand(name: string, { print, say }: AdministerOptions): Command {
  return new Command(name)
    .configureOutput({ writeOut: print, writeErr: (text) => say(text.trimEnd()) })
    .exitOverride()
    .showHelpAfterError();
}

/** Loaded only for a valid command line. */
const loadWork = () => import('./administration.ts');

function createAdminister(name: string, options: AdministerOptions): Command {
  const command = createCommand(name, options)
    .description('What an operator does by hand, with the environment of the user API.')
    .addHelpText('after', DETAILS);
  command
    .command('appoint-administrator')
    .summary('make a user an administrator')
    .description(
      `Makes a user an administrator: the first one, or one in place of all who have lost their way in. Ends the user's password,
sessions and API keys, and sends a link to a new password to the address, which proves whose it is. Reads DATABASE_URL (the
writer), DATABASE_AUTHENTICATION, DATABASE_PASSWORD_FILE, DATABASE_TLS, AWS_REGION.`,
    )
    .argument('<email>', 'address of the user')
    .action(async (email: string) => (await loadWork()).appoint(email, options));
  command
    .command('create-signing-keys')
    .summary('print a new set of one key for access tokens')
    .description(
      `Prints a new set of one key for access tokens, for ACCESS_TOKEN_KEYS. For the day that a private key has leaked: all access
tokens end when it is deployed, and clients refresh.`,
    )
    .action(async () => (await loadWork()).createKeys(options));
  command
    .command('rotate-signing-keys')
    .summary('print the next set: the keys of now, and a new one')
    .description(
      `Prints the next set: the keys of now, and a new one that signs after the lead. Deploy it before that; no token is refused.
Reads ACCESS_TOKEN_KEYS, or else SERVICE_SECRET, of which the key of now is derived.`,
    )
    .option(
      '--lead-hours <hours>',
      'until the new key signs',
      leadHours,
      ROTATION_LEAD_SECONDS / 3_600,
    )
    .action(async (values: { readonly leadHours: number }) =>
      (await loadWork()).rotateKeys(values.leadHours, options),
    );
  command
    .command('show-signing-keys')
    .summary('print from when each key signs')
    .description(
      `Prints from when each key signs, and until when it verifies; no private half. Reads ACCESS_TOKEN_KEYS, or else
SERVICE_SECRET.`,
    )
    .action(async () => (await loadWork()).showKeys(options));
  return command;
}

/** @returns the exit code: 0, 1 when it could not be done, 2 when the command line is wrong. Never throws. */
async function run(
  command: Command,
  words: readonly string[],
  { say }: AdministerOptions,
): Promise<0 | 1 | 2> {
  try {
    await command.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    say((await loadWork()).explain(error));
    return 1;
  }
}

export const administer = (words: readonly string[], options: AdministerOptions) =>
  run(createAdminister('npm run administer --', options), words, options);

/** `main.ts` with arguments: the image has no other program, and no shell. */
export const userApiCommand = (words: readonly string[], options: AdministerOptions) =>
  run(
    createCommand('user-api', options)
      .description(
        'Without a command, serves the user API. Its settings are environment variables (docs/environment.md).',
      )
      .addCommand(createAdminister('administer', options)),
    words,
    options,
  );

export const ofThisProcess: AdministerOptions = {
  environment: process.env,
  print: (text) => void process.stdout.write(text),
  say: (text) => console.error(text),
};
