import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';
import { choices, extended, loadTest } from './variants.ts';

/** `node synthesise-variants.ts <folder>`: the stages of variants.ts, in a process of their own beside that of the real ones. */
enableCompileCache();
const { sizeStage } = await import('../../../lib/capacity/size-stage.ts');
const { readFeatureFlags } = await import('../../../lib/config/cdk-settings.ts');
const { createApp } = await import('../../../lib/stacks/create-app.ts');
const { createStage } = await import('../../../lib/stacks/stage.ts');

const flags = readFeatureFlags(join(import.meta.dirname, '../../..'));
const app = createApp({
  outdir: z.string().parse(process.argv[2]),
  // No code is looked at in them: nothing is bundled.
  context: { ...flags, 'aws:cdk:bundling-stacks': [] },
});
const images = { 'user-api': 'example.com/user-api:1.0.0' };
createStage(app, { stage: sizeStage(choices), images });
createStage(app, { stage: sizeStage(loadTest), images });
createStage(app, {
  stage: sizeStage(extended.stage),
  services: extended.services,
  workers: extended.workers,
});
app.synth();
