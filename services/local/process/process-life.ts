import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';

/** How a process is asked to end: one signal after the other, each with time to act; SIGKILL comes last by itself. */
export interface StopPlan {
  /** Signals to send, in order. */
  readonly stopSignals: readonly NodeJS.Signals[];
  /** How long each signal is given before the next one, in milliseconds. */
  readonly stopTimeoutMilliseconds: number;
}

const POLL_MILLISECONDS = 20;
/** SIGKILL cannot be refused: a process that is still there after this long is stuck inside the kernel. */
const KILL_TIMEOUT_MILLISECONDS = 5_000;

/** Whether a process with this id runs. One that has ended but was not yet waited for (a zombie) does not. */
export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch (error) {
    // EPERM: it is there, but belongs to somebody else.
    return isErrorWithCode(error, 'EPERM');
  }
  return process.platform !== 'linux' || linuxState(processId) !== 'Z';
}

/**
 * Ends a process that need not be a child of this one, and what is left of its process group, and waits until it is gone.
 * @returns false when it was still there after SIGKILL.
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

/** Kills what is left of the process group that `leaderProcessId` led; nothing happens when the group is empty. */
export function endGroup(leaderProcessId: number): void {
  if (process.platform !== 'win32') sendSignal(-leaderProcessId, 'SIGKILL');
}

/** Sends a signal; a process that is no longer there is not an error. */
export function sendSignal(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal);
  } catch (error) {
    // EPERM: macOS answers so for a group in which only zombies are left.
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

/** The state letter of proc(5); undefined when the process has just gone. */
function linuxState(processId: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    // The command name before the state is in parentheses and may hold blanks and parentheses itself.
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  } catch {
    return undefined;
  }
}
