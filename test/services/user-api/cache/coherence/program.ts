import type { Checking, Outcome } from './check.ts';
import type { Mutant } from './mutants/mutant.ts';
import { createWorlds } from './mutate.ts';
import type { ServerUrls } from './servers.ts';

/** The caches to check, with or without a mutant, and how. */
export interface Task extends Checking {
  /** @default the caches as they are */
  readonly mutant?: Mutant;
}

/** The first message to the program. */
export interface Tasks {
  readonly urls: ServerUrls;
  /** Checked one after the other. */
  readonly tasks: readonly Task[];
}

process.once('message', async (message) => {
  const { tasks, urls } = message as Tasks;
  const urlIn = createWorlds(tasks.map(({ mutant }) => mutant));
  for (const [world, task] of tasks.entries()) {
    const { check }: typeof import('./check.ts') = await import(
      urlIn(import.meta.resolve('./check.ts'), world)
    );
    const outcome: Outcome = await check(urls, task);
    process.send?.(outcome);
  }
  process.disconnect?.();
});
// Ends with its parent, whatever happens to that.
process.once('disconnect', () => process.exit());
