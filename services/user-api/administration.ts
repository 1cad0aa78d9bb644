import { databaseConnectionOptions } from '../contracts/database/connection-options.ts';
import { EnvironmentError, readEnvironment } from '../contracts/environment/read.ts';
import { loggedMessage } from '../contracts/observability/logged-error.ts';
import { appointAdministrator, NobodyToAppoint } from './auth/accounts/appoint-administrator.ts';
import { deriveSigningKeySet } from './auth/tokens/derived-signing-keys.ts';
import { createSigningKeySet, rotateSigningKeys } from './auth/tokens/key-rotation.ts';
import {
  parseSigningKeySet,
  type SigningKeySet,
  scheduleOf,
  UnusableSigningKeys,
} from './auth/tokens/signing-keys.ts';

/** The commands of `administer`, which loads them for a valid command line. */

export interface AdministerOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes the output. */
  readonly print: (text: string) => void;
  /** Takes messages about it. */
  readonly say: (text: string) => void;
}

const HOUR_SECONDS = 3_600;

export async function appoint(
  email: string,
  { environment, say }: AdministerOptions,
): Promise<void> {
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

function currentKeys(environment: AdministerOptions['environment']): SigningKeySet {
  const { ACCESS_TOKEN_KEYS: keys } = readEnvironment(['ACCESS_TOKEN_KEYS'], environment);
  if (keys !== undefined) return parseSigningKeySet(keys);
  return deriveSigningKeySet(readEnvironment(['SERVICE_SECRET'], environment).SERVICE_SECRET);
}

export async function createKeys({ print, say }: AdministerOptions): Promise<void> {
  print(printed(await createSigningKeySet()));
  say('Signs at once. All access tokens of other keys end when every process has it.');
}

export async function rotateKeys(
  leadHours: number,
  { environment, print, say }: AdministerOptions,
): Promise<void> {
  const next = await rotateSigningKeys(
    currentKeys(environment),
    Date.now(),
    Math.round(HOUR_SECONDS * leadHours),
  );
  print(printed(next));
  say(
    `The new key signs from ${next.keys.at(-1)?.activeFrom}. Give this to every process as ACCESS_TOKEN_KEYS before that.`,
  );
}

export function showKeys({ environment, print }: AdministerOptions): void {
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
}

/** Remedies by error code of Node.js, postgres.js or PostgreSQL. */
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

export function explain(error: unknown): string {
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
