import { join } from 'node:path';
import { z } from 'zod';
import { sizeStage } from '../../../lib/capacity/size/size-stage.ts';
import { readFeatureFlags } from '../../../lib/config/cdk-settings.ts';
import { createApp } from '../../../lib/stacks/create-app.ts';
import { createStage } from '../../../lib/stacks/stage.ts';
import { choices, extended, loadTest } from './variants.ts';

/** `node synthesise-variants.ts <folder>`: the stages of variants.ts, in a process of their own beside that of the real ones. */
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
