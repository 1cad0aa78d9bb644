import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { z } from 'zod';
import { drawStage, PICTURED_STAGE } from '../lib/architecture/draw.ts';
import { sizeStage } from '../lib/capacity/size-stage.ts';
import { ConfigurationError } from '../lib/config/configuration-error.ts';
import { findStage } from '../lib/config/stages.ts';
import { createStage } from '../lib/stacks/stage.ts';

/** The flags of `cdk.json`, with which the CDK's command line synthesises. */
const settings = z.object({ context: z.record(z.string(), z.unknown()) });

/** `npm run picture`: synthesises one stage and draws `docs/architecture.svg` from its templates. */
async function draw(): Promise<void> {
  const outdir = await mkdtemp(join(tmpdir(), 'headroom-picture-'));
  try {
    const { context } = settings.parse(
      JSON.parse(await readFile(new URL('../cdk.json', import.meta.url), 'utf8')),
    );
    const app = new App({ outdir, context, analyticsReporting: false, autoSynth: false });
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
