import { access, constants, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalFailure } from '../local-failure.ts';

/** Where each part keeps its things below the local folder. */
export interface LocalDirectories {
  readonly root: string;
  readonly postgres: string;
  readonly redis: string;
  readonly sqs: string;
  readonly mailbox: string;
  readonly logs: string;
}

export function localDirectories(root: string): LocalDirectories {
  return {
    root,
    postgres: join(root, 'postgres'),
    redis: join(root, 'redis'),
    sqs: join(root, 'sqs'),
    mailbox: join(root, 'mailbox'),
    logs: join(root, 'logs'),
  };
}

const lockName = 'running.pid';

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The process id of the `npm start` that runs on `root` now, or `null`. */
export async function runningProcessId(root: string): Promise<number | null> {
  const text = await readFile(join(root, lockName), 'utf8').catch(() => '');
  const processId = Number.parseInt(text, 10);
  return Number.isSafeInteger(processId) && processId > 0 && isAlive(processId) ? processId : null;
}

/**
 * Makes the folders that are missing and takes the lock that keeps a second `npm start` off the same data.
 *
 * @returns what to call to give the lock back.
 * @throws {@link LocalFailure} when the folder cannot be made or written to, or another `npm start` has it.
 */
export async function claimDirectories(
  directories: LocalDirectories,
): Promise<() => Promise<void>> {
  const { root } = directories;
  try {
    for (const path of Object.values(directories)) await mkdir(path, { recursive: true });
    await access(root, constants.W_OK | constants.X_OK);
  } catch (error) {
    const isFile = await stat(root).then(
      (status) => !status.isDirectory(),
      () => false,
    );
    const reason = isFile
      ? 'it is not a folder'
      : error instanceof Error
        ? error.message
        : String(error);
    throw new LocalFailure(
      `The folder ${root} cannot be used: ${reason}.`,
      'Make it writable for you, or name another with LOCAL_DIRECTORY=/path/to/folder npm start.',
    );
  }
  const lock = join(root, lockName);
  // `wx` fails when the file exists, so that of two that start at once one wins.
  const claim = () => writeFile(lock, `${process.pid}\n`, { flag: 'wx' });
  try {
    await claim();
  } catch {
    const holder = await runningProcessId(root);
    if (holder !== null) {
      throw new LocalFailure(
        `Headroom is already running on ${root}, as process ${holder}.`,
        'Stop it with Ctrl-C where it runs, or start a second one on other data: LOCAL_DIRECTORY=/path/to/folder PORT=3001 npm start.',
      );
    }
    // Left by a run that was killed.
    await rm(lock, { force: true });
    await claim();
  }
  return () => rm(lock, { force: true });
}
