import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import { commandLineOf } from '../process/command-line.ts';
import { endProcess, isAlive } from '../process/process-life.ts';

/** The run that it belonged to is gone, so nobody waits for an orderly end; but its data should be whole. */
const STOP_PLAN = { stopSignals: ['SIGINT', 'SIGQUIT'], stopTimeoutMilliseconds: 5_000 } as const;

/**
 * Ends a server that a run which was killed left behind on this data. Call it only while holding the lock of the
 * folder: then no live run owns that server.
 * @returns the process id of the server that was ended; null when there was none.
 * @throws {LocalFailure} when it could not be ended.
 */
export async function stopLeftover(dataDirectory: string): Promise<number | null> {
  const pidFile = join(dataDirectory, 'postmaster.pid');
  const processId = readProcessId(pidFile);
  if (processId === null || !isAlive(processId)) return null;

  if (!isPostgresOn(dataDirectory, processId)) {
    // The number was given to another program since; PostgreSQL would take it for a server on this data.
    rmSync(pidFile, { force: true });
    return null;
  }
  if (!(await endProcess(processId, STOP_PLAN))) {
    throw new LocalFailure(
      `A PostgreSQL server of an earlier run (process ${processId}) holds ${basename(dataDirectory)} and does not end.`,
      `End it with \`kill -9 ${processId}\`, then try again.`,
    );
  }
  return processId;
}

function readProcessId(pidFile: string): number | null {
  try {
    const processId = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    // A standalone backend writes its number with a minus sign.
    return Number.isNaN(processId) ? null : Math.abs(processId);
  } catch {
    return null;
  }
}

/** A PostgreSQL server works in its data folder, which Linux shows; elsewhere its command line must name the folder. */
function isPostgresOn(dataDirectory: string, processId: number): boolean {
  const commandLine = commandLineOf(processId) ?? '';
  if (!/postgres/.test(commandLine)) return false;
  if (process.platform !== 'linux') return commandLine.includes(dataDirectory);
  try {
    return readlinkSync(`/proc/${processId}/cwd`) === realpathSync(dataDirectory);
  } catch {
    return false;
  }
}
