import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainFileError } from '../process/directory.ts';
import { isErrorWithCode } from '../process/process-life.ts';
import { corruptData } from './failures.ts';

/** The superuser. */
export const ADMINISTRATOR = 'postgres';
/** Owner of the application's database. */
export const OWNER = 'headroom';
/** Role of the replica for streaming. */
export const REPLICATOR = 'replicator';

/** Passwords by role: made once for a data folder, and stored beside it, readable by its owner only. */
export interface Credentials {
  readonly administrator: string;
  readonly owner: string;
  readonly replicator: string;
}

const PASSWORD_BYTES = 24;

/** @returns null when none were made yet. */
export function readCredentials(directory: string): Credentials | null {
  const file = credentialsFile(directory);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return null;
    throw explainFileError(error, 'read the passwords in', file);
  }
  try {
    const credentials: unknown = JSON.parse(text);
    if (isCredentials(credentials)) return credentials;
  } catch {
    // Handled as invalid JSON of another shape.
  }
  throw corruptData(directory, `${file} does not hold the passwords that it should`);
}

export function createCredentials(directory: string): Credentials {
  const password = () => randomBytes(PASSWORD_BYTES).toString('base64url');
  const credentials = {
    administrator: password(),
    owner: password(),
    replicator: password(),
  };
  const file = credentialsFile(directory);
  try {
    writeFileSync(file, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    throw explainFileError(error, 'write the passwords to', file);
  }
  return credentials;
}

function credentialsFile(directory: string): string {
  return join(directory, 'passwords.json');
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== 'object' || value === null) return false;
  const { administrator, owner, replicator } = value as Record<string, unknown>;
  return [administrator, owner, replicator].every((text) => typeof text === 'string');
}
