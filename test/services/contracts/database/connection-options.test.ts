import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import {
  type DatabaseConnectionSettings,
  databaseConnectionOptions,
} from '../../../../services/contracts/database/connection-options.ts';
import { EnvironmentError } from '../../../../services/contracts/environment/read.ts';
import { describeWithout } from '../../../support/missing-program.ts';
import { createCertificate, startTlsFront, type TestCertificate } from './tls-front.ts';

const settings: DatabaseConnectionSettings = {
  DATABASE_AUTHENTICATION: 'password',
  DATABASE_TLS: 'disable',
  AWS_REGION: 'eu-west-1',
};
const iam = { ...settings, DATABASE_AUTHENTICATION: 'iam', DATABASE_TLS: 'verify' } as const;

function setCredentials(): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  onTestFinished(() => void vi.unstubAllEnvs());
}

async function passwordOf(
  options: ReturnType<typeof databaseConnectionOptions>,
): Promise<string | undefined> {
  return typeof options.password === 'function' ? await options.password() : undefined;
}

describe('Options of a database connection', () => {
  it('with a password and without TLS leave everything to the URL', () => {
    expect(databaseConnectionOptions('postgres://u:p@h/d?sslmode=require', settings)).toEqual({});
  });

  it('with IAM sign a token for the host, port and user of the URL', async () => {
    setCredentials();
    const url = 'postgres://role%20one@db.example:6543/d';
    const token = await passwordOf(databaseConnectionOptions(url, iam));
    const signed = new URL(`https://${token}`);
    expect(signed.host).toBe('db.example:6543');
    expect(Object.fromEntries(signed.searchParams)).toMatchObject({
      Action: 'connect',
      DBUser: 'role one',
      'X-Amz-Expires': '900',
      'X-Amz-Credential': expect.stringContaining('/eu-west-1/rds-db/aws4_request'),
    });
  });

  it('with IAM and no port sign for that of PostgreSQL', async () => {
    setCredentials();
    const token = await passwordOf(databaseConnectionOptions('postgres://role@db.example/d', iam));
    expect(token).toMatch(/^db\.example:5432\//);
  });

  it('with IAM report why no token can be created, and return none', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', '');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
    onTestFinished(() => void vi.unstubAllEnvs());
    const failures: unknown[] = [];
    const url = 'postgres://role@db.example/d';
    const options = databaseConnectionOptions(url, iam, (error) => failures.push(error));
    expect(await passwordOf(options)).toBe('');
    expect(failures).toMatchObject([{ name: 'CredentialsProviderError' }]);
    expect(await passwordOf(databaseConnectionOptions(url, iam))).toBe('');
  });

  it('refuse IAM without TLS or without a user name, and name both variables', () => {
    const combine = () =>
      databaseConnectionOptions('postgres://db.example/d', { ...iam, DATABASE_TLS: 'disable' });
    expect(combine).toThrow(EnvironmentError);
    expect(combine).toThrow(
      /^DATABASE_TLS got "disable"; .*\nDATABASE_URL got a URL without a user name/,
    );
  });

  it('refuse IAM with a password file, and say so', () => {
    const url = 'postgres://role@db.example/d';
    const combine = () =>
      databaseConnectionOptions(url, { ...iam, DATABASE_PASSWORD_FILE: '/run/secrets/password' });
    expect(combine).toThrow(/^DATABASE_PASSWORD_FILE got a path; it must be unset/);
  });
});

function verifyTls(certificate: () => TestCertificate): void {
  afterAll(() => certificate().remove());

  /** Connects in a process of its own, because Node.js reads the authorities that it trusts at its start. */
  async function connectThrough(
    options: { host: string; trusted: boolean; askForPassword?: boolean },
    chosen: DatabaseConnectionSettings,
  ): Promise<{ outcome: string; passwords: readonly string[]; port: number }> {
    const { url } = inject('system').postgres.primary;
    const front = await startTlsFront(certificate(), new URL(url), options.askForPassword);
    onTestFinished(() => front.close());
    const through = new URL(url);
    through.host = `${options.host}:${front.port}`;
    const program = fileURLToPath(new URL('./connect-program.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [program, through.href, JSON.stringify(chosen)],
      {
        env: {
          AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
          AWS_SECRET_ACCESS_KEY: 'secret',
          ...(options.trusted ? { NODE_EXTRA_CA_CERTS: certificate().certificateFile } : {}),
        },
      },
    );
    return { outcome: stdout.trim(), passwords: front.passwords, port: front.port };
  }

  const verified = { ...settings, DATABASE_TLS: 'verify' } as const;

  it('connects where the authority is trusted and the name is right', async () => {
    const { outcome } = await connectThrough({ host: 'localhost', trusted: true }, verified);
    expect(outcome).toBe('connected');
  });

  it('refuses a certificate of an authority that is not trusted', async () => {
    const { outcome } = await connectThrough({ host: 'localhost', trusted: false }, verified);
    expect(outcome).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  it('refuses a certificate for another host, be it an address', async () => {
    const { outcome } = await connectThrough({ host: '127.0.0.1', trusted: true }, verified);
    expect(outcome).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('carries an IAM token where the server asks for a password, and never before it is verified', async () => {
    const asking = { askForPassword: true, host: 'localhost' };
    const { outcome, passwords, port } = await connectThrough({ ...asking, trusted: true }, iam);
    expect(outcome).toBe('28P01');
    expect(passwords).toEqual([
      expect.stringMatching(new RegExp(`^localhost:${port}/\\?Action=connect&DBUser=`)),
    ]);
    const refused = await connectThrough({ ...asking, trusted: false }, iam);
    expect(refused).toMatchObject({ outcome: 'DEPTH_ZERO_SELF_SIGNED_CERT', passwords: [] });
  });
}

const TLS_SUITE = 'Verified TLS to PostgreSQL';
const certificate = createCertificate();
if (certificate !== null) describe(TLS_SUITE, () => verifyTls(() => certificate));
else {
  const reason = 'it needs openssl on the PATH, to make a certificate with';
  describeWithout(TLS_SUITE, reason, () =>
    verifyTls(() => {
      throw new Error(reason);
    }),
  );
}
