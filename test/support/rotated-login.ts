import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { onTestFinished } from 'vitest';
import { databaseConnectionOptions } from '../../services/contracts/database/connection-options.ts';
import { system } from './system.ts';

export const passwordSettings = {
  DATABASE_AUTHENTICATION: 'password',
  DATABASE_TLS: 'disable',
  AWS_REGION: 'us-east-1',
} as const;

/** A role of the shared server whose password is in a file, and changes: for one test. */
export async function createRotatedLogin(writerUrl: string) {
  const directory = await mkdtemp(join(tmpdir(), 'headroom-password-'));
  const file = join(directory, 'password');
  const role = `rotated_${randomBytes(6).toString('hex')}`;
  const administrator = postgres(system().postgres.primary.administratorUrl, { max: 1 });
  onTestFinished(async () => {
    await administrator.unsafe(`drop role ${role}`);
    await administrator.end();
    await rm(directory, { recursive: true });
  });
  const setPassword = async (statement: 'create' | 'alter') => {
    const password = randomBytes(12).toString('hex');
    await administrator.unsafe(`${statement} role ${role} login password '${password}'`);
    await writeFile(file, `${password}\n`);
  };
  await setPassword('create');
  const url = new URL(writerUrl);
  url.username = role;
  url.password = 'the first one, long gone';
  const settings = { ...passwordSettings, DATABASE_PASSWORD_FILE: file };
  return {
    url: url.href,
    settings,
    connection: databaseConnectionOptions(url.href, settings),
    /** Gives the role another password, and the file after it. */
    changePassword: () => setPassword('alter'),
  };
}
