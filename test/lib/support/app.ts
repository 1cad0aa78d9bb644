import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { inject } from 'vitest';
import { sizeStage } from '../../../lib/capacity/size/size-stage.ts';
import { readFeatureFlags } from '../../../lib/config/cdk-settings.ts';
import type { StageDefinition } from '../../../lib/config/stage.ts';
import { createApp } from '../../../lib/stacks/create-app.ts';
import { createStage, type StageProps } from '../../../lib/stacks/stage.ts';
import { repositoryRoot } from './synthesise.ts';
import { readTemplates, type StackTemplate } from './templates.ts';

/** An empty app in this process, with the flags of `cdk.json`; it bundles no code, and its output goes with that of the global setup. */
export function createTestApp(): App {
  const outdir = mkdtempSync(join(inject('cloudAssembly'), '..', 'app-'));
  return createApp({
    context: { ...readFeatureFlags(repositoryRoot), 'aws:cdk:bundling-stacks': [] },
    outdir,
  });
}

/** Those stages in an app of their own, synthesised without the CDK's validation. */
export function synthesiseStages(
  definitions: readonly StageDefinition[],
  props: Omit<StageProps, 'stage'> = {},
): { readonly app: App; readonly stacks: readonly StackTemplate[] } {
  const app = createTestApp();
  for (const definition of definitions) {
    createStage(app, { ...props, stage: sizeStage(definition) });
  }
  const { directory } = app.synth({ skipValidation: true });
  return { app, stacks: readTemplates(directory) };
}
