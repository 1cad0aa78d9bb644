import { join } from 'node:path';
import { prepareDirectory } from '../process/directory.ts';
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

/**
 * Takes the local folder for this run and makes the folders in it.
 *
 * @throws `LocalFailure` when it cannot be written to, or another run has it.
 */
export function claimDirectories(root: string): DirectoryLock {
  const lock = lockDirectory(root);
  for (const directory of Object.values(localDirectories(root))) prepareDirectory(directory);
  return lock;
}
