import { sizeStage } from '../../../lib/capacity/size/size-stage.ts';
import { stageDefinitions } from '../../../lib/config/stages/stages.ts';

/** Every stage, sized. */
export const stages = stageDefinitions.map(sizeStage);
