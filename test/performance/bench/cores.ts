import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Which cores do what, so that what is measured shares its core with nothing else. */
export interface Cores {
  /** Whether processes can be pinned here; if not, the scheduler puts them where it likes and the figures are worth less. */
  readonly pinned: boolean;
  /** The core of the server that is measured. */
  readonly subject: number;
  /** A second core, for the second of two processes; with two cores in all, the load generator's. */
  readonly second: number;
  /** The cores of everything else: load generator, databases, queue, and this process. */
  readonly others: readonly number[];
  readonly count: number;
}

/** Cores that this process may run on, from a list such as `0-3,8`. */
export function parseCoreList(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((part) => {
      const [first = Number.NaN, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

function allowedCores(): number[] | null {
  try {
    const text = execFileSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
    return parseCoreList(text.slice(text.lastIndexOf(':') + 1));
  } catch {
    return null;
  }
}

/**
 * Divides the cores that this process may use: the last is the subject's, the one before it the second's, and all but the last
 * belong to everything else. Without `taskset`, or with one core, nothing is pinned.
 */
export function planCores(allowed: readonly number[] | null = allowedCores()): Cores {
  const cores = allowed ?? Array.from({ length: availableParallelism() }, (_, index) => index);
  const subject = cores.at(-1) ?? 0;
  const second = cores.at(-2) ?? subject;
  return {
    pinned: allowed !== null && cores.length > 1,
    subject,
    second,
    others: cores.length > 1 ? cores.slice(0, -1) : cores,
    count: cores.length,
  };
}

/** Pins this process, and with it all that it starts from now on, away from the subject's core. */
export function pinThisProcess(cores: Cores): void {
  if (!cores.pinned) return;
  execFileSync('taskset', ['-acp', cores.others.join(','), String(process.pid)], {
    stdio: 'ignore',
  });
}

/** `command` on the given cores and no others; as it is where nothing can be pinned. */
export function pinned(
  cores: Cores,
  where: readonly number[],
  command: string,
  commandArguments: readonly string[],
): { readonly command: string; readonly arguments: readonly string[] } {
  if (!cores.pinned) return { command, arguments: commandArguments };
  return { command: 'taskset', arguments: ['-c', where.join(','), command, ...commandArguments] };
}
