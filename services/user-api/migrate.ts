import { z } from 'zod';
import {
  catchingPassword,
  databaseConnectionOptions,
} from '../contracts/database/connection-options.ts';
import { EnvironmentError, readEnvironment } from '../contracts/environment/read.ts';
import { loggedMessage } from '../contracts/observability/logged-error.ts';
import type { MigrateResult } from './database/migrate.ts';

/** The secret that RDS keeps for the owner of a database; it has more in it, which the URL says already. */
const ownerSecret = z.object({ username: z.string().min(1), password: z.string().min(1) });

/** The owner's login, as the secret has it now. */
async function readOwnerLogin(secretArn: string, region: string) {
  const { GetSecretValueCommand, SecretsManagerClient } = await import(
    '@aws-sdk/client-secrets-manager'
  );
  const client = new SecretsManagerClient({ region });
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
    return ownerSecret.parse(JSON.parse(SecretString ?? '{}'));
  } finally {
    client.destroy();
  }
}

/** Migrates the database that the environment names. */
async function run(
  source: Readonly<Record<string, string | undefined>>,
  onProgress: (message: string) => void,
): Promise<MigrateResult> {
  const settings = readEnvironment(
    ['DATABASE_URL', 'DATABASE_PASSWORD_FILE', 'DATABASE_TLS', 'DATABASE_SECRET_ARN', 'AWS_REGION'],
    source,
  );
  // It takes long to load; a mistake on the command line should not wait for it.
  const { migrate } = await import('./database/migrate.ts');
  const { AWS_REGION: region, DATABASE_SECRET_ARN: secretArn, DATABASE_URL: url } = settings;
  const onFailure = (error: unknown) => onProgress(`There is no password. ${explain(error)}`);
  const connection = databaseConnectionOptions(
    url,
    { ...settings, DATABASE_AUTHENTICATION: 'password' },
    onFailure,
  );
  if (secretArn === undefined) return await migrate(url, { connection, onProgress });
  const { username } = await readOwnerLogin(secretArn, region);
  const ownerUrl = new URL(url);
  ownerUrl.username = encodeURIComponent(username);
  // Read for each connection: a migration may wait for longer than the secret stays as it is.
  const readPassword = async () => (await readOwnerLogin(secretArn, region)).password;
  return await migrate(ownerUrl.href, {
    connection: { ...connection, password: catchingPassword(readPassword, onFailure) },
    onProgress,
  });
}

/** What to do about an error, by its SQLSTATE or the code that Node.js or postgres.js gave it. */
const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Start PostgreSQL there, or correct the host and port in DATABASE_URL.',
  ECONNRESET:
    'The server hung up. With DATABASE_TLS=verify it must be one that speaks TLS: see its log.',
  ENOTFOUND: 'Correct the host in DATABASE_URL.',
  CONNECT_TIMEOUT:
    'Check that the host and port in DATABASE_URL can be reached: security groups, routes.',
  '28P01':
    'Correct the user name and password, in DATABASE_URL, DATABASE_PASSWORD_FILE or the secret.',
  '28000': 'Correct the user name and how it logs in; a server may insist on DATABASE_TLS=verify.',
  '3D000': 'Create the database, or correct its name in DATABASE_URL.',
  '42501': 'Log in as the owner of the tables.',
  '55P03': 'Something held a lock for too long. Nothing has been changed: run it again.',
};

/** The failure in plain words. */
function explain(error: unknown): string {
  if (error instanceof EnvironmentError) return error.message;
  if (!(error instanceof Error)) return loggedMessage(error);
  const { cause } = error;
  // The cause is more specific.
  if (cause instanceof Error) return explain(cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const what = loggedMessage(error) || error.name;
  return [
    code === undefined ? what : `${what} (${code})`,
    ...(code === undefined || remedies[code] === undefined ? [] : [remedies[code]]),
  ].join('\n');
}

/**
 * For AWS Lambda: a deployment invokes it before new code takes traffic, and stops when it throws.
 *
 * @returns the names of the migrations that were applied.
 */
export async function handler(): Promise<MigrateResult> {
  try {
    return await run(process.env, (message) => console.log(message));
  } catch (error) {
    throw new Error(`The migration failed. ${explain(error)}`);
  }
}

// For people and for npm start: `node services/user-api/migrate.ts`. Ends with 1 when it failed.
if (import.meta.main) {
  const { Command } = await import('commander');
  new Command('node services/user-api/migrate.ts')
    .description(
      'Migrates the database that DATABASE_URL names. Its settings are environment variables (docs/environment.md).',
    )
    .parse();
  try {
    const { applied } = await run(process.env, (message) => console.log(message));
    if (applied.length > 0) console.log(`Applied ${applied.length}. The database is up to date.`);
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}
