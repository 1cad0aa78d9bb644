import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The command line of a running process, arguments joined by blanks; null when unavailable. */
export function commandLineOf(processId: number): string | null {
  try {
    if (process.platform === 'linux') {
      return readFileSync(`/proc/${processId}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    }
    const line = execFileSync('ps', ['-o', 'command=', '-p', String(processId)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return line.trim();
  } catch {
    return null;
  }
}
