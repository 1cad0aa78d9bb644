import { setTimeout as wait } from 'node:timers/promises';
import { LocalFailure } from '../local-failure.ts';
import type { SupervisedProcess } from './supervised-process.ts';

export interface Readiness {
  /** Polled until it is true; its errors are thrown on. */
  readonly isReady: () => boolean | Promise<boolean>;
  /** Longest wait, in milliseconds. */
  readonly timeoutMilliseconds: number;
  /** Interval of polls, in milliseconds. @default 20 */
  readonly intervalMilliseconds?: number;
  /**
   * Makes the error for a process that ended or timed out.
   *
   * @default a `LocalFailure` with the last lines of the log
   */
  readonly explain?: (problem: string, logLines: readonly string[]) => LocalFailure;
}

const DEFAULT_INTERVAL_MILLISECONDS = 20;
const LOG_LINES_SHOWN = 12;

/**
 * Waits until a started process is ready.
 *
 * @throws {LocalFailure} when it ends first, or times out (it then still runs: stop it).
 */
export async function waitUntilReady(
  supervised: SupervisedProcess,
  readiness: Readiness,
): Promise<void> {
  const explain = readiness.explain ?? ((problem, lines) => withLog(supervised, problem, lines));
  const deadline = performance.now() + readiness.timeoutMilliseconds;
  for (;;) {
    const exit = supervised.exit();
    if (exit) {
      const how = exit.signal ? `was ended by ${exit.signal}` : `ended with exit code ${exit.code}`;
      throw explain(`${supervised.name} ${how} while starting`, logLines(supervised));
    }
    if (await readiness.isReady()) return;
    if (performance.now() >= deadline) {
      const seconds = readiness.timeoutMilliseconds / 1_000;
      throw explain(`${supervised.name} was not ready after ${seconds} s`, logLines(supervised));
    }
    await wait(readiness.intervalMilliseconds ?? DEFAULT_INTERVAL_MILLISECONDS);
  }
}

function logLines(supervised: SupervisedProcess): string[] {
  return supervised.lastLogLines(LOG_LINES_SHOWN);
}

function withLog(
  supervised: SupervisedProcess,
  problem: string,
  lines: readonly string[],
): LocalFailure {
  return new LocalFailure(
    `${problem}. Its last words:\n${lines.map((line) => `  ${line}`).join('\n')}`,
    `Read the whole log in ${supervised.logFile}.`,
  );
}
