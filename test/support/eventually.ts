import { vi } from 'vitest';

/** Longer than anything takes that happens at all, on a machine that has other things to do; a test that passes does not wait so long. */
const TIMEOUT_MILLISECONDS = 15_000;
const INTERVAL_MILLISECONDS = 20;

/**
 * Tries again and again until it succeeds; vitest's own wait ends after a second, which a busy machine may take.
 *
 * @param attempt - throws as long as what it looks for is not so.
 * @returns what `attempt` returns.
 * @throws what `attempt` threw last, after 15 s.
 */
export async function eventually<Result>(attempt: () => Result | Promise<Result>): Promise<Result> {
  return await vi.waitFor(attempt, {
    timeout: TIMEOUT_MILLISECONDS,
    interval: INTERVAL_MILLISECONDS,
  });
}
