import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LocalFailure } from '../local-failure.ts';
import { explainFileError, prepareDirectory } from './directory.ts';

export interface DirectoryLock {
  /** Idempotent. */
  release(): void;
}

/** Result code of SQLite when another connection holds the lock (https://www.sqlite.org/rescode.html#busy). */
const SQLITE_BUSY = 5;

/**
 * Locks a folder for this process, so that two runs cannot use the same data. An operating system lock, held through SQLite because Node.js
 * has no call
 * for it, ends with the process; a process id in a file would outlive a crash.
 *
 * @throws {LocalFailure} when another process has the lock, or the folder is not writable.
 */
export function lockDirectory(directory: string): DirectoryLock {
  prepareDirectory(directory);
  const ownerFile = join(directory, 'owner.pid');
  const lockFile = join(directory, 'owner.lock');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(lockFile);
    database.exec('BEGIN EXCLUSIVE');
    writeFileSync(ownerFile, `${process.pid}\n`);
  } catch (error) {
    database?.close();
    if (isBusy(error)) throw alreadyRunning(directory, ownerFile);
    throw explainFileError(error, 'lock the folder with', lockFile);
  }
  const held = database;
  return {
    release() {
      if (held.isOpen) held.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}

function alreadyRunning(directory: string, ownerFile: string): LocalFailure {
  let owner = '';
  try {
    owner = ` (process ${readFileSync(ownerFile, 'utf8').trim()})`;
  } catch {
    // The message omits the process id.
  }
  return new LocalFailure(
    `The folder ${directory} is already in use by a system that is running${owner}.`,
    'Use that one, or stop it first; or set LOCAL_DIRECTORY to another folder to run two side by side.',
  );
}
