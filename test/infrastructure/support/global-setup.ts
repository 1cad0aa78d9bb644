import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { synthesise } from './synthesise.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder with the templates of all stages. */
    cloudAssembly: string;
  }
}

/** Synthesises all stages once for all test files. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const outputDirectory = await mkdtemp(join(tmpdir(), 'headroom-assembly-'));
  await synthesise({ outputDirectory });
  project.provide('cloudAssembly', outputDirectory);
  return () => rm(outputDirectory, { recursive: true, force: true });
}
