import { accessSync, constants, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import { isErrorWithCode } from './process-life.ts';

/**
 * Creates a folder and its parents. Not `mkdirSync(…, { recursive: true })`, which never returns where a file system reports ENOENT for an
 * existing
 * parent, as /proc does.
 *
 * @throws the file system's error of the first folder that cannot be created.
 */
function makeDirectory(directory: string): void {
  const missing: string[] = [];
  let path = resolve(directory);
  while (!existsSync(path) && path !== dirname(path)) {
    missing.unshift(path);
    path = dirname(path);
  }
  for (const folder of missing) {
    try {
      mkdirSync(folder);
    } catch (error) {
      // Another process has created it.
      if (!isErrorWithCode(error, 'EEXIST')) throw error;
    }
  }
}

/**
 * Creates a folder if missing, and checks that it is writable.
 *
 * @throws {LocalFailure}
 */
export function prepareDirectory(directory: string): void {
  try {
    makeDirectory(directory);
    // Fails with ENOTDIR for a file.
    readdirSync(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw explainFileError(error, 'use the folder', directory);
  }
}

/** Explains a file-system error with a remedy; `action` completes "Could not …". */
export function explainFileError(error: unknown, action: string, path: string): LocalFailure {
  const [why, remedy] = reasonAndRemedy(error, path);
  return new LocalFailure(`Could not ${action} ${path}: ${why}.`, remedy, { cause: error });
}

function reasonAndRemedy(error: unknown, path: string): [why: string, remedy: string] {
  if (isErrorWithCode(error, 'EACCES', 'EPERM')) {
    return [
      'this user may not write there',
      `Give yourself the right to write to ${path}, or set LOCAL_DIRECTORY to a folder that you may write to.`,
    ];
  }
  if (isErrorWithCode(error, 'EROFS')) {
    return [
      'the file system is read-only',
      'Set LOCAL_DIRECTORY to a folder on a file system that can be written to.',
    ];
  }
  if (isErrorWithCode(error, 'ENOSPC', 'EDQUOT')) {
    return [
      'the disk is full',
      'Free some space, or set LOCAL_DIRECTORY to a folder on another disk.',
    ];
  }
  if (isErrorWithCode(error, 'ENOTDIR', 'EEXIST')) {
    return [
      'a part of the path is a file, not a folder',
      'Remove that file, or set LOCAL_DIRECTORY to another folder.',
    ];
  }
  if (isErrorWithCode(error, 'ENOENT')) {
    return [
      'no folder can be made there',
      'Set LOCAL_DIRECTORY to a folder on a file system that can be written to.',
    ];
  }
  const message = error instanceof Error ? error.message : String(error);
  return [message, 'Set LOCAL_DIRECTORY to a folder that can be written to.'];
}
