import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** Signals in order, each with time to act; SIGKILL follows by itself. */
export interface StopPlan {
  readonly stopSignals: readonly NodeJS.Signals[];
  /** Time for each signal, in milliseconds. */
  readonly stopTimeoutMilliseconds: number;
}

const POLL_MILLISECONDS = 20;
/** SIGKILL cannot be refused: a process that survives this long is stuck inside the kernel. */
const KILL_TIMEOUT_MILLISECONDS = 5_000;

/** Whether a process runs; a zombie does not. */
export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch (error) {
    // EPERM: it belongs to another user.
    return isErrorWithCode(error, 'EPERM');
  }
  return process.platform !== 'linux' || linuxState(processId) !== 'Z';
}

/**
 * Ends a process, child or not, with the rest of its process group, and waits for its end.
 *
 * @returns false when it survived SIGKILL.
 */
export async function endProcess(processId: number, plan: StopPlan): Promise<boolean> {
  let ended = !isAlive(processId);
  for (const signal of plan.stopSignals) {
    if (ended) break;
    sendSignal(processId, signal);
    ended = await hasEndedWithin(processId, plan.stopTimeoutMilliseconds);
  }
  if (!ended) {
    sendSignal(processId, 'SIGKILL');
    ended = await hasEndedWithin(processId, KILL_TIMEOUT_MILLISECONDS);
  }
  endGroup(processId);
  return ended;
}

/** Kills the rest of the process group of `leaderProcessId`, if any. */
export function endGroup(leaderProcessId: number): void {
  if (process.platform !== 'win32') sendSignal(-leaderProcessId, 'SIGKILL');
}

/** Sends a signal; a process that has ended is no error. */
export function sendSignal(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal);
  } catch (error) {
    // EPERM: macOS reports it for a group of zombies.
    if (!isErrorWithCode(error, 'ESRCH', 'EPERM')) throw error;
  }
}

export async function hasEndedWithin(processId: number, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  while (isAlive(processId)) {
    if (performance.now() >= deadline) return false;
    await wait(POLL_MILLISECONDS);
  }
  return true;
}

/** Whether `error` is a system error with one of these codes, such as `ENOENT`. */
export function isErrorWithCode(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    codes.includes(error.code)
  );
}

/** The state letter of proc(5); undefined when the process has just ended. */
function linuxState(processId: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    // The command name before the state is in parentheses and may contain blanks and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  } catch {
    return undefined;
  }
}
