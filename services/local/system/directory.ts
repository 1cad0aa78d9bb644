import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { explainFileError, prepareDirectory } from '../process/directory.ts';
import { type DirectoryLock, lockDirectory } from '../process/directory-lock.ts';

export interface LocalDirectories {
  readonly postgres: string;
  readonly redis: string;
  readonly sqs: string;
  readonly mailbox: string;
  readonly logs: string;
  readonly secrets: string;
}

export function localDirectories(root: string): LocalDirectories {
  return {
    postgres: join(root, 'postgres'),
    redis: join(root, 'redis'),
    sqs: join(root, 'sqs'),
    mailbox: join(root, 'mailbox'),
    logs: join(root, 'logs'),
    secrets: join(root, 'secrets'),
  };
}

const PRIVATE = 0o700;
/** As root, PostgreSQL runs as another user, who must pass through to its data, and sees nothing on the way. */
const PASSABLE = 0o711;

/**
 * Locks the local folder for this run and makes the folders in it, closed to other users. An existing local folder keeps its mode: it may be
 * the
 * user's, with other content.
 *
 * @throws `LocalFailure` when it is not writable, or locked by another run.
 */
export function claimDirectories(root: string): DirectoryLock {
  const isNew = !existsSync(root);
  const lock = lockDirectory(root);
  const directories = localDirectories(root);
  const passable = process.getuid?.() === 0 ? PASSABLE : PRIVATE;
  try {
    for (const directory of Object.values(directories)) {
      prepareDirectory(directory);
      setMode(directory, directory === directories.postgres ? passable : PRIVATE);
    }
    if (isNew) setMode(root, passable);
  } catch (error) {
    lock.release();
    throw error;
  }
  return lock;
}

function setMode(directory: string, mode: number): void {
  try {
    chmodSync(directory, mode);
  } catch (error) {
    throw explainFileError(error, 'close to other users', directory);
  }
}
