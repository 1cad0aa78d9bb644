import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sizeStage } from '../capacity/size/size-stage.ts';
import { readFeatureFlags } from '../config/cdk-settings.ts';
import { repositoryRoot } from '../config/repository-root.ts';
import { findStage } from '../config/stages/stages.ts';
import { createApp } from '../stacks/create-app.ts';
import { createStage } from '../stacks/stage.ts';
import { readStageAssembly } from './assembly.ts';
import { pictureGraph } from './graph.ts';
import { pictureSvg } from './svg.ts';

/** The stage that the picture is of: the one that people mean when they say "the system". */
export const PICTURED_STAGE = 'production';

/** The picture of {@link PICTURED_STAGE}, drawn from the cloud assembly in `directory`. */
export async function drawStage(directory: string): Promise<string> {
  const graph = pictureGraph(readStageAssembly(directory, PICTURED_STAGE));
  return await pictureSvg(graph, `Headroom on AWS, stage ${PICTURED_STAGE}`);
}

/**
 * Synthesises one stage and draws `docs/architecture.svg` from its templates.
 * @throws `ConfigurationError` when the stage is wrong.
 */
export async function writePicture(): Promise<void> {
  const outdir = await mkdtemp(join(tmpdir(), 'headroom-picture-'));
  try {
    const app = createApp({ outdir, context: readFeatureFlags(repositoryRoot) });
    createStage(app, { stage: sizeStage(findStage(PICTURED_STAGE)) });
    app.synth();
    await writeFile(join(repositoryRoot, 'docs/architecture.svg'), await drawStage(outdir));
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}
