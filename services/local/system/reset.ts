import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { explainFileError } from '../process/directory.ts';
import { lockDirectory } from '../process/directory-lock.ts';
import { localDirectories } from './directory.ts';
import { systemFile } from './system-file.ts';

/**
 * Deletes what `npm start` keeps in `root`: only what it makes itself, as LOCAL_DIRECTORY may name a folder
 * that holds other things too.
 *
 * @returns the folders and files that were deleted.
 * @throws `LocalFailure` while a system runs on that folder, or when something in it may not be deleted.
 */
export async function resetLocalData(root: string): Promise<readonly string[]> {
  if (!existsSync(root)) return [];
  const lock = lockDirectory(root);
  try {
    const paths = [...Object.values(localDirectories(root)), systemFile(root)];
    const found = paths.filter((path) => existsSync(path));
    for (const path of found) {
      try {
        await rm(path, { recursive: true });
      } catch (error) {
        throw explainFileError(error, 'delete', path);
      }
    }
    return found;
  } finally {
    lock.release();
  }
}
