import { sizeStage } from '../../../lib/capacity/size/size-stage.ts';
import type { StageSize } from '../../../lib/config/size.ts';
import { stageDefinitions } from '../../../lib/config/stages/stages.ts';
import { workers } from '../../../lib/config/workers.ts';

/** Every stage, sized. */
export const stages = stageDefinitions.map(sizeStage);

/** PostgreSQL connections of all workers that log in, one for each invocation at once. */
export function workerConnections({ workerConcurrency }: StageSize): number {
  return workers
    .filter(({ databaseUser }) => databaseUser !== undefined)
    .reduce(
      (sum, { name, maximumConcurrency }) => sum + (workerConcurrency[name] ?? maximumConcurrency),
      0,
    );
}
