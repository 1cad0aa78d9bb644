import { describe, it } from 'vitest';

/**
 * In place of a suite that needs a program which this machine lacks: its tests listed as skipped, with the reason in their name and on the
 * screen; or, under `CI=true`, one test that fails with it.
 *
 * @param reason - what is needed, and how to install it.
 * @param suite - describes the tests; what it needs of the program is not asked for, as none of them runs.
 */
export function describeWithout(name: string, reason: string, suite: () => void): void {
  if (process.env.CI === 'true') {
    describe(name, () => {
      it('has what it needs on this machine', () => {
        throw new Error(`${name} could not run: ${reason}`);
      });
    });
    return;
  }
  console.warn(`SKIPPED: ${name}: ${reason}`);
  describe.skip(`${name} (skipped: ${reason})`, suite);
}
