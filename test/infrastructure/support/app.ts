import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { inject } from 'vitest';
import { z } from 'zod';
import { sizeStage } from '../../../lib/capacity/size-stage.ts';
import type { StageDefinition } from '../../../lib/config/stage.ts';
import { createStage, type StageProps } from '../../../lib/stacks/stage.ts';
import { repositoryRoot } from './synthesise.ts';
import { readTemplates, type StackTemplate } from './templates.ts';

const cdkSettings = z.object({ context: z.record(z.string(), z.unknown()) });

/** An empty app in this process, with the flags of `cdk.json`; it bundles no code, and its output goes with that of the global setup. */
export function createApp(): App {
  const outdir = mkdtempSync(join(inject('cloudAssembly'), '..', 'app-'));
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
