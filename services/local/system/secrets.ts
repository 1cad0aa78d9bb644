import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { LocalFailure } from '../local-failure.ts';
import { explainFileError } from '../process/directory.ts';
import { isErrorWithCode } from '../process/process-life.ts';

/** Secrets of the folder's owner. Made once and stored, so that logins and links survive a restart. */
const localSecrets = z.strictObject({
  /** SERVICE_SECRET, unless set by the developer. */
  serviceSecret: z.string().min(32),
  administratorPassword: z.string().min(15),
});
export type LocalSecrets = z.infer<typeof localSecrets>;

const SECRET_BYTES = 48;
const PASSWORD_BYTES = 15;

function createSecrets(): LocalSecrets {
  return {
    serviceSecret: randomBytes(SECRET_BYTES).toString('base64url'),
    administratorPassword: randomBytes(PASSWORD_BYTES).toString('base64url'),
  };
}

/**
 * Reads or creates the secrets in `directory`, readable by this user only.
 *
 * @throws {@link LocalFailure} when the file cannot be read, written or parsed.
 */
export function readOrCreateSecrets(directory: string): LocalSecrets {
  const file = join(directory, 'secrets.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (!isErrorWithCode(error, 'ENOENT')) {
      throw explainFileError(error, 'read the secrets in', file);
    }
    return writeSecrets(file, createSecrets());
  }
  try {
    return localSecrets.parse(JSON.parse(text));
  } catch {
    throw new LocalFailure(
      `${file} does not hold the secrets that it should.`,
      'Delete it to have new ones made; the demo administrator then needs `npm run reset`, too.',
    );
  }
}

function writeSecrets(file: string, secrets: LocalSecrets): LocalSecrets {
  try {
    writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw explainFileError(error, 'write the secrets to', file);
  }
  return secrets;
}
