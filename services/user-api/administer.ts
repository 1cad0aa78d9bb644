import { parseArgs } from 'node:util';
import { databaseConnectionOptions } from '../contracts/database/connection-options.ts';
import { nearestName } from '../contracts/environment/misspelt.ts';
import { EnvironmentError, readEnvironment } from '../contracts/environment/read.ts';
import { loggedMessage } from '../contracts/observability/logged-error.ts';
import { appointAdministrator, NobodyToAppoint } from './auth/accounts/appoint-administrator.ts';
import { deriveSigningKeySet } from './auth/tokens/derived-signing-keys.ts';
import {
  createSigningKeySet,
  ROTATION_LEAD_SECONDS,
  rotateSigningKeys,
} from './auth/tokens/key-rotation.ts';
import {
  parseSigningKeySet,
  type SigningKeySet,
  scheduleOf,
  UnusableSigningKeys,
} from './auth/tokens/signing-keys.ts';

/**
 * What an operator does by hand, with the environment of the user API: `npm run administer -- <command>` here, and in the container's image, whose
 * only program is `main.ts`, `administer <command>` as its command.
 */

export const ADMINISTER_HELP = `npm run administer -- <command>

  appoint-administrator <email>
      Makes a user an administrator: the first one, or one in place of all who have lost their way in. Ends the user's
      password, sessions and API keys, and sends a link to a new password to the address, which proves whose it is.
      Reads DATABASE_URL (the writer), DATABASE_AUTHENTICATION, DATABASE_PASSWORD_FILE, DATABASE_TLS, AWS_REGION.

  create-signing-keys
      Prints a new set of one key for access tokens, for ACCESS_TOKEN_KEYS. For the day that a private key has leaked: all
      access tokens end when it is deployed, and clients refresh.

  rotate-signing-keys [--lead-hours <hours>]
      Prints the next set: the keys of now, and a new one that signs after the lead, ${ROTATION_LEAD_SECONDS / 3_600} hours unless told otherwise. Deploy it
      before that; no token is refused. Reads ACCESS_TOKEN_KEYS, or else SERVICE_SECRET, of which the key of now is derived.

  show-signing-keys
      Prints which key signs from when, and which one until when verifies; no private half. Reads the same.

Keys go to standard output, and are secret: npm run --silent administer -- rotate-signing-keys > keys.json
`;

/** A command line that cannot be understood; the message says what it takes. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface AdministerOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes what was asked for, and nothing else. */
  readonly print: (text: string) => void;
  /** Takes what is said about it. */
  readonly say: (text: string) => void;
}

type Command = (words: readonly string[], options: AdministerOptions) => Promise<void>;

function requireNoMore(words: readonly string[]): void {
  if (words.length > 0) throw new UsageError(`"${words.join(' ')}" is too much`);
}

async function appoint(words: readonly string[], { environment, say }: AdministerOptions) {
  const [email, ...rest] = words;
  if (email === undefined) throw new UsageError('appoint-administrator takes an email address');
  requireNoMore(rest);
  const settings = readEnvironment(
    [
      'DATABASE_URL',
      'DATABASE_AUTHENTICATION',
      'DATABASE_PASSWORD_FILE',
      'DATABASE_TLS',
      'AWS_REGION',
    ],
    environment,
  );
  const url = settings.DATABASE_URL;
  const id = await appointAdministrator(url, email, databaseConnectionOptions(url, settings));
  say(
    `User ${id} is an administrator. A link to a new password goes to the address as soon as the user API runs; it is good for 30 minutes.`,
  );
}

const printed = (set: SigningKeySet) => `${JSON.stringify(set)}\n`;

/** The keys that the API signs with now. */
function currentKeys(environment: AdministerOptions['environment']): SigningKeySet {
  const { ACCESS_TOKEN_KEYS: keys } = readEnvironment(['ACCESS_TOKEN_KEYS'], environment);
  if (keys !== undefined) return parseSigningKeySet(keys);
  return deriveSigningKeySet(readEnvironment(['SERVICE_SECRET'], environment).SERVICE_SECRET);
}

async function rotate(words: readonly string[], { environment, print, say }: AdministerOptions) {
  const { positionals, values } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: { 'lead-hours': { type: 'string', default: String(ROTATION_LEAD_SECONDS / 3_600) } },
  });
  requireNoMore(positionals);
  const hours = Number(values['lead-hours']);
  if (!(hours > 0 && hours <= 8_760)) {
    throw new UsageError(
      `--lead-hours got "${values['lead-hours']}"; it takes a number over 0, up to 8760`,
    );
  }
  const next = await rotateSigningKeys(
    currentKeys(environment),
    Date.now(),
    Math.round(3_600 * hours),
  );
  print(printed(next));
  say(
    `The new key signs from ${next.keys.at(-1)?.activeFrom}. Give this to every process as ACCESS_TOKEN_KEYS before that.`,
  );
}

const commands: Readonly<Record<string, Command>> = {
  'appoint-administrator': appoint,
  async 'create-signing-keys'(words, { print, say }) {
    requireNoMore(words);
    print(printed(await createSigningKeySet()));
    say('Signs at once. All access tokens of other keys end when every process has it.');
  },
  'rotate-signing-keys': rotate,
  async 'show-signing-keys'(words, { environment, print }) {
    requireNoMore(words);
    const now = Date.now();
    const schedule = scheduleOf(currentKeys(environment));
    const signer = schedule.findLast(({ signsFrom }) => signsFrom <= now);
    for (const scheduled of schedule) {
      const { key, signsFrom, verifiesUntil } = scheduled;
      const state = scheduled === signer ? 'signs now' : signsFrom > now ? 'coming' : 'former';
      const until = Number.isFinite(verifiesUntil)
        ? new Date(verifiesUntil).toISOString()
        : 'replaced';
      print(`${key.kid}  ${state}; signs from ${key.activeFrom}, verifies until ${until}\n`);
    }
  },
};

/** What to do about an error, by the code that Node.js, postgres.js or PostgreSQL gave it. */
const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Start PostgreSQL there, or correct the host and port in DATABASE_URL.',
  ENOTFOUND: 'Correct the host in DATABASE_URL.',
  CONNECT_TIMEOUT: 'Run this where the host and port in DATABASE_URL can be reached.',
  '28P01':
    'Correct the user name in DATABASE_URL, and the password there or in DATABASE_PASSWORD_FILE.',
  '28000': 'Correct the user name and how it logs in (DATABASE_AUTHENTICATION, DATABASE_TLS).',
  '3D000': 'Correct the name of the database in DATABASE_URL.',
  '42P01': 'Migrate the database first: node services/user-api/migrate.ts',
  '42501': 'Log in as the role of the user API, or as the owner of the tables.',
  '25006': 'DATABASE_URL names a reader; it takes the writer.',
};

function explain(error: unknown): string {
  if (!(error instanceof Error)) return loggedMessage(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const isOurs =
    error instanceof EnvironmentError ||
    error instanceof NobodyToAppoint ||
    error instanceof UnusableSigningKeys;
  if (isOurs) return error.message;
  const remedy = remedies[code];
  const what = loggedMessage(error) || error.name;
  return remedy === undefined ? what : `${what} (${code})\n${remedy}`;
}

/** @returns the exit code: 0, 1 when it could not be done, 2 when the command line is wrong. Never throws. */
export async function administer(
  words: readonly string[],
  options: AdministerOptions,
): Promise<0 | 1 | 2> {
  const [name, ...rest] = words;
  if (name === undefined || words.includes('--help') || words.includes('-h')) {
    options[name === undefined ? 'say' : 'print'](ADMINISTER_HELP);
    return name === undefined ? 2 : 0;
  }
  try {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) {
      const known = Object.keys(commands);
      const meant = nearestName(name, [...known, '--help'], Math.ceil(name.length / 3));
      throw new UsageError(
        `There is no command "${name}"; there are ${known.join(', ')}${meant === undefined ? '' : `. Did you mean "${meant}"?`}`,
      );
    }
    await command(rest, options);
    return 0;
  } catch (error) {
    const isUsage =
      error instanceof UsageError ||
      (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE'));
    if (isUsage)
      options.say(
        `${error.message.replace(/[^?]$/, '$&.')}\nnpm run administer -- --help says more.`,
      );
    else options.say(explain(error));
    return isUsage ? 2 : 1;
  }
}

/** Runs it with the environment, standard output and standard error of this process. */
export async function runAdminister(words: readonly string[]): Promise<void> {
  process.exitCode = await administer(words, {
    environment: process.env,
    print: (text) => void process.stdout.write(text),
    say: (text) => console.error(text),
  });
}
