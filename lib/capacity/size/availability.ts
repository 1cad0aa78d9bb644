import type { StageDefinition } from '../../config/stage.ts';

/** From this objective on, in percent, a second copy of the database and of the cache takes over by itself. */
const REPLICATED_FROM_PERCENT = 99.5;
/** From this objective on, in percent, the loss of a zone must not be felt: what is left of everything carries the peak. */
const ZONE_LOSS_FROM_PERCENT = 99.9;

/** What a stage's objective asks of the number of things. */
export interface Redundancy {
  /** Whether a lost primary is replaced from a copy. */
  readonly replicated: boolean;
  /** Whether the zones that are left must carry the whole load. */
  readonly survivesZoneLoss: boolean;
  /** What to multiply a number of things spread over all zones by, so that it suffices with one zone fewer. */
  readonly zoneFactor: number;
  /** The above in words. */
  readonly why: string;
}

export function redundancyOf({ policy, availabilityZones }: StageDefinition): Redundancy {
  const { availabilityPercent } = policy;
  const zones = availabilityZones.length;
  const survivesZoneLoss = availabilityPercent >= ZONE_LOSS_FROM_PERCENT;
  return {
    replicated: availabilityPercent >= REPLICATED_FROM_PERCENT,
    survivesZoneLoss,
    zoneFactor: survivesZoneLoss ? zones / (zones - 1) : 1,
    why: survivesZoneLoss
      ? `${availabilityPercent} % asks for enough with one of ${zones} zones gone`
      : `${availabilityPercent} % does not ask for enough with a zone gone`,
  };
}
