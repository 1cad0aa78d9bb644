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
