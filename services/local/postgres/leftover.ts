import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import { commandLineOf } from '../process/command-line.ts';
import { endProcess, isAlive } from '../process/process-life.ts';

/** No program waits for an orderly end; but the data should stay intact. */
const STOP_PLAN = { stopSignals: ['SIGINT', 'SIGQUIT'], stopTimeoutMilliseconds: 5_000 } as const;

/**
 * Ends a server that a killed run left behind. Requires the folder's lock: then no live run owns that server.
 *
 * @returns the process id of the server that was ended; null when there was none.
 * @throws {LocalFailure} when it could not be ended.
 */
export async function stopLeftover(dataDirectory: string): Promise<number | null> {
  const pidFile = join(dataDirectory, 'postmaster.pid');
  const processId = readProcessId(pidFile);
  if (processId === null || !isAlive(processId)) return null;

  if (!isPostgresOn(dataDirectory, processId)) {
    // The process id belongs to another program now; PostgreSQL would take it for a server on this data.
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
    // A standalone backend writes its process id negated.
    return Number.isNaN(processId) ? null : Math.abs(processId);
  } catch {
    return null;
  }
}

/** Linux shows a server's working directory, its data folder; elsewhere its command line must name the folder. */
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
