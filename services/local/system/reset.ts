import { rm, stat } from 'node:fs/promises';
import { LocalFailure } from '../local-failure.ts';
import { localDirectories, runningProcessId } from './directory.ts';

/**
 * Deletes what `npm start` keeps in `root`: only the folders that it makes itself, as LOCAL_DIRECTORY may name a folder
 * that holds other things too.
 *
 * @returns the folders that were deleted.
 * @throws {@link LocalFailure} while the system runs on that folder.
 */
export async function resetLocalData(root: string): Promise<readonly string[]> {
  const processId = await runningProcessId(root);
  if (processId !== null) {
    throw new LocalFailure(
      `Headroom is running on ${root}, as process ${processId}.`,
      'Stop it first, with Ctrl-C where it runs.',
    );
  }
  const { root: _root, ...parts } = localDirectories(root);
  const deleted: string[] = [];
  for (const path of Object.values(parts)) {
    const exists = await stat(path).then(
      () => true,
      () => false,
    );
    if (!exists) continue;
    try {
      await rm(path, { recursive: true });
    } catch (error) {
      throw new LocalFailure(
        `${path} cannot be deleted: ${error instanceof Error ? error.message : String(error)}.`,
        'It may belong to another user: a system started as root is reset as root.',
      );
    }
    deleted.push(path);
  }
  return deleted;
}
