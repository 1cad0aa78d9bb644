import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { explainFileError } from '../process/directory.ts';
import type { Guardian } from '../process/guardian.ts';
import { isErrorWithCode } from '../process/process-life.ts';
import { startProcess } from '../process/supervised-process.ts';
import type { PostgresBinaries } from './binaries.ts';
import { ADMINISTRATOR } from './credentials.ts';
import { corruptData, explainServerFailure, otherVersion } from './failures.ts';
import type { ServerUser } from './server-user.ts';

/** Data of another major version cannot be used. */
const MAJOR_VERSION = '18';
const LOG_LINES_SHOWN = 12;

export interface InitdbOptions {
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly binaries: PostgresBinaries;
  readonly user: ServerUser;
  readonly guardian: Guardian;
}

export interface NewDataDirectory extends InitdbOptions {
  readonly administratorPassword: string;
}

/** Replaces a folder by an empty one with the permissions that PostgreSQL requires. */
export function makeEmptyDirectory(directory: string, user: ServerUser): void {
  try {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw explainFileError(error, 'make the folder', directory);
  }
  user.own(directory);
}

/**
 * Runs initdb. The result is renamed when complete, so that an interruption leaves no partial data. It is durable only after
 * {@link syncDataDirectory}.
 *
 * @throws {LocalFailure} when initdb fails.
 */
export async function createDataDirectory(options: NewDataDirectory): Promise<void> {
  const { dataDirectory, user } = options;
  const unfinished = `${dataDirectory}.unfinished`;
  const passwordFile = `${dataDirectory}.password`;
  makeEmptyDirectory(unfinished, user);
  try {
    writeFileSync(passwordFile, `${options.administratorPassword}\n`, { mode: 0o600 });
    user.own(passwordFile);
    await runInitdb(options, [
      `--pgdata=${unfinished}`,
      `--username=${ADMINISTRATOR}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // PostgreSQL's own collation by code point: the same order on every machine.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      '--no-sync',
    ]);
    renameSync(unfinished, dataDirectory);
  } finally {
    rmSync(passwordFile, { force: true });
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/**
 * Syncs all files to the disk, also under a running server: initdb would do it at its end, where everything waits.
 *
 * @throws {LocalFailure} when that fails.
 */
export async function syncDataDirectory(options: InitdbOptions): Promise<void> {
  await runInitdb(options, ['--sync-only', `--pgdata=${options.dataDirectory}`]);
}

async function runInitdb(options: InitdbOptions, words: readonly string[]): Promise<void> {
  const { dataDirectory, logFile } = options;
  const initdb = await startProcess({
    name: 'initdb',
    ...options.user.command(options.binaries.initdb, words),
    logFile,
    guardian: options.guardian,
  });
  const exit = await initdb.exited;
  if (exit.code === 0) return;
  const problem = `initdb, which makes the data folder, ended with ${exit.signal ?? `exit code ${exit.code}`}`;
  const logLines = initdb.lastLogLines(LOG_LINES_SHOWN);
  throw explainServerFailure(problem, { dataDirectory, logFile, logLines });
}

/**
 * Checks data as far as possible without starting a server.
 *
 * @returns false when there is none.
 * @throws {LocalFailure} when it cannot be used.
 */
export function checkDataDirectory(dataDirectory: string): boolean {
  if (!existsSync(dataDirectory)) return false;
  const root = dirname(dataDirectory);
  let version: string;
  try {
    version = readFileSync(join(dataDirectory, 'PG_VERSION'), 'utf8').trim();
  } catch (error) {
    const file = join(dataDirectory, 'PG_VERSION');
    // No permission: it belongs to another user, and may well be intact.
    if (isErrorWithCode(error, 'EACCES')) throw explainFileError(error, 'read', file);
    throw corruptData(root, `${file} cannot be read (${String(error)})`);
  }
  if (!/^\d+$/.test(version)) {
    throw corruptData(
      root,
      `PG_VERSION says ${JSON.stringify(version.slice(0, 20))}, not a version`,
    );
  }
  if (version !== MAJOR_VERSION) {
    throw otherVersion(root, version, MAJOR_VERSION);
  }
  return true;
}
