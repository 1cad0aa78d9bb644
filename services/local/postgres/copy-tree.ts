import { constants, copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrorWithCode } from '../process/process-life.ts';

export interface TreeCopy {
  /** Paths below the source, with `/`, that are not copied. */
  readonly leaveOut: ReadonlySet<string>;
  /** Called for each file and folder made. */
  readonly onMade: (path: string) => void;
}

/** Copies a folder of a running server: a file that disappears is left out, as by `pg_basebackup`. (`fs.cp` fails then.) */
export async function copyTree(source: string, target: string, copy: TreeCopy): Promise<void> {
  await copyFolder(source, target, '', copy);
}

async function copyFolder(
  source: string,
  target: string,
  below: string,
  copy: TreeCopy,
): Promise<void> {
  const entries = await readdir(join(source, below), { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (copy.leaveOut.has(path)) return;
      const made = join(target, path);
      if (entry.isDirectory()) {
        await mkdir(made, { mode: 0o700 });
        copy.onMade(made);
        await copyFolder(source, target, path, copy);
      } else if (entry.isFile() && (await copyIfThere(join(source, path), made))) {
        copy.onMade(made);
      }
    }),
  );
}

async function copyIfThere(source: string, target: string): Promise<boolean> {
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    return true;
  } catch (error) {
    if (!isErrorWithCode(error, 'ENOENT')) throw error;
    await rm(target, { force: true });
    return false;
  }
}
