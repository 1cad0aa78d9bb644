import { sizeStage } from '../../../lib/capacity/size-stage.ts';
import { stageDefinitions } from '../../../lib/config/stages.ts';

/** Every stage, sized. */
export const stages = stageDefinitions.map(sizeStage);
