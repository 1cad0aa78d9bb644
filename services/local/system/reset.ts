import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { explainFileError } from '../process/directory.ts';
import { lockDirectory } from '../process/directory-lock.ts';
import { localDirectories } from './directory.ts';
import { systemFile } from './system-file.ts';

/**
 * Deletes the data of `npm start` in `root`, and nothing else: LOCAL_DIRECTORY may have other content.
 *
 * @returns the deleted folders and files.
 * @throws `LocalFailure` while a system runs on that folder, or when a deletion fails.
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
