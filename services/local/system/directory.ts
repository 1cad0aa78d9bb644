import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { explainFileError, prepareDirectory } from '../process/directory.ts';
import { type DirectoryLock, lockDirectory } from '../process/directory-lock.ts';

/** Where each part keeps its things, below the local folder. */
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

/** For this user alone. */
const PRIVATE = 0o700;
/** As root, PostgreSQL runs as another user, who must pass through to its data, and sees nothing on the way. */
const PASSABLE = 0o711;

/**
 * Takes the local folder for this run and makes the folders in it, closed to other users; those of an earlier start are closed, too. The
 * local folder itself keeps its mode when it was there already: it may be one of the user's, with other things in it.
 *
 * @throws `LocalFailure` when it cannot be written to, or another run has it.
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
