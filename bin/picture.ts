import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawStage, PICTURED_STAGE } from '../lib/architecture/draw.ts';
import { sizeStage } from '../lib/capacity/size-stage.ts';
import { readFeatureFlags } from '../lib/config/cdk-settings.ts';
import { ConfigurationError } from '../lib/config/configuration-error.ts';
import { findStage } from '../lib/config/stages.ts';
import { repositoryRoot } from '../lib/constructs/repository-root.ts';
import { createApp } from '../lib/stacks/create-app.ts';
import { createStage } from '../lib/stacks/stage.ts';

/** `npm run picture`: synthesises one stage and draws `docs/architecture.svg` from its templates. */
async function draw(): Promise<void> {
  const outdir = await mkdtemp(join(tmpdir(), 'headroom-picture-'));
  try {
    const app = createApp({ outdir, context: readFeatureFlags(repositoryRoot) });
    createStage(app, { stage: sizeStage(findStage(PICTURED_STAGE)) });
    app.synth();
    await writeFile(new URL('../docs/architecture.svg', import.meta.url), await drawStage(outdir));
    console.log('wrote docs/architecture.svg');
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}

try {
  await draw();
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
