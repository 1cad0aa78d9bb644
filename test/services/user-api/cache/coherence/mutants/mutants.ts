import type { Mutant } from './mutant.ts';
import { mutantsOfReads } from './mutants-of-reads.ts';
import { mutantsOfTheNearCache } from './mutants-of-the-near-cache.ts';
import { mutantsOfWrites } from './mutants-of-writes.ts';

/** Each guard that the caches' promises need, in the order of docs/cache.md. */
export const mutants: readonly Mutant[] = [
  ...mutantsOfWrites,
  ...mutantsOfTheNearCache,
  ...mutantsOfReads,
];
