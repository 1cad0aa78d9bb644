import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface RedisProgram {
  readonly path: string;
  /** `redis-server` or `valkey-server`. */
  readonly program: string;
  /** Such as `7.0.15`. */
  readonly version: string;
}

/** Compatible programs, best known first. */
const PROGRAMS = ['redis-server', 'valkey-server'];
const WINDOWS_ENDINGS = ['.exe', ''];

/**
 * Finds a Redis or Valkey server.
 *
 * @param path - folders as in the variable PATH. @default that variable
 * @returns null when there is none.
 */
export function findRedis(path: string = process.env.PATH ?? ''): RedisProgram | null {
  const endings = process.platform === 'win32' ? WINDOWS_ENDINGS : [''];
  for (const program of PROGRAMS) {
    for (const folder of path.split(delimiter).filter((part) => part !== '')) {
      for (const ending of endings) {
        const candidate = join(folder, `${program}${ending}`);
        const version = isExecutable(candidate) ? readVersion(candidate) : null;
        if (version !== null) return { path: candidate, program, version };
      }
    }
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Parses `Redis server v=7.0.15 sha=…` or `Valkey server v=8.1.1 sha=…`. Null when it does not run. */
function readVersion(path: string): string | null {
  try {
    const text = execFileSync(path, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /\bv=(\S+)/.exec(text)?.[1] ?? null;
  } catch {
    return null;
  }
}
