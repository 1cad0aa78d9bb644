import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { afterAll, vi } from 'vitest';
import { z } from 'zod';
import { sizeStage } from '../../../lib/capacity/size-stage.ts';
import type { StageDefinition } from '../../../lib/config/stage.ts';
import { createStage, type StageProps } from '../../../lib/stacks/stage.ts';
import { repositoryRoot } from './synthesise.ts';
import { readTemplates, type StackTemplate } from './templates.ts';

const cdkSettings = z.object({ context: z.record(z.string(), z.unknown()) });

const outputs: string[] = [];
afterAll(() => {
  vi.unstubAllEnvs();
  for (const directory of outputs) rmSync(directory, { recursive: true, force: true });
});

/** An empty app in this process, with the flags of `cdk.json`; it bundles no code, and its output goes when the tests of the file have ended. */
export function createApp(): App {
  // The CDK's own validation takes seconds, and `cdk synth` has it: cdk-command-line.test.ts.
  vi.stubEnv('CDK_VALIDATION', 'false');
  const outdir = mkdtempSync(join(tmpdir(), 'headroom-app-'));
  outputs.push(outdir);
  const { context } = cdkSettings.parse(
    JSON.parse(readFileSync(join(repositoryRoot, 'cdk.json'), 'utf8')),
  );
  return new App({
    analyticsReporting: false,
    autoSynth: false,
    context: { ...context, 'aws:cdk:bundling-stacks': [] },
    outdir,
  });
}

/** Those stages in an app of their own, synthesised without the CDK's validation. */
export function synthesiseStages(
  definitions: readonly StageDefinition[],
  props: Omit<StageProps, 'stage'> = {},
): { readonly app: App; readonly stacks: readonly StackTemplate[] } {
  const app = createApp();
  for (const definition of definitions) {
    createStage(app, { ...props, stage: sizeStage(definition) });
  }
  const { directory } = app.synth({ skipValidation: true });
  return { app, stacks: readTemplates(directory) };
}
