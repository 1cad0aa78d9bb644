import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { synthesise, synthesiseVariants } from './synthesise.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder with the templates of all stages. */
    cloudAssembly: string;
    /** Folder with those of what a stage may also be: `choices`, `load-test`, and `dev` with one service and one worker more. */
    variantAssembly: string;
  }
}

/** Synthesises all stages, and what else there may be, once for all test files. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'headroom-assembly-'));
  const cloudAssembly = join(directory, 'stages');
  const variantAssembly = join(directory, 'variants');
  await Promise.all([
    synthesise({ outputDirectory: cloudAssembly }),
    synthesiseVariants(variantAssembly),
  ]);
  project.provide('cloudAssembly', cloudAssembly);
  project.provide('variantAssembly', variantAssembly);
  return () => rm(directory, { recursive: true, force: true });
}
