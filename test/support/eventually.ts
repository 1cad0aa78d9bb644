import { vi } from 'vitest';

/** Longer than anything takes on a busy machine; a passing test does not wait so long. */
const TIMEOUT_MILLISECONDS = 15_000;
const INTERVAL_MILLISECONDS = 20;

/**
 * Retries `attempt` until it succeeds: vitest's own wait ends after a second, which is too short on a busy machine.
 *
 * @throws the last error of `attempt`, after 15 s.
 */
export async function eventually<Result>(attempt: () => Result | Promise<Result>): Promise<Result> {
  return await vi.waitFor(attempt, {
    timeout: TIMEOUT_MILLISECONDS,
    interval: INTERVAL_MILLISECONDS,
  });
}

/** Polls until `check` is true; fails after 15 s. */
export async function untilTrue(check: () => Promise<boolean> | boolean): Promise<void> {
  await eventually(async () => {
    if (!(await check())) throw new Error('It did not become true in time');
  });
}
