import type { StageSize } from '../../config/size.ts';
import type { StageDefinition } from '../../config/stage.ts';
import { millionsAMonth } from '../data/month.ts';
import type { Load } from '../load/load.ts';
import type { SystemParts } from '../load/parts.ts';
import { sizeOfService } from '../load/service-share.ts';
import { cacheCost } from './cache-cost.ts';
import { type Component, type CostLine, components, totalOf } from './cost-line.ts';
import { databaseCost } from './database-cost.ts';
import { edgeCost } from './edge-cost.ts';
import { encryptionCost, networkCost, observabilityCost } from './operations-cost.ts';
import { serviceCost } from './service-cost.ts';
import { workerCost } from './worker-cost.ts';

/** What one part of the system costs. */
export interface ComponentCost {
  readonly component: Component;
  /** Dollars a month. */
  readonly monthly: number;
  /** Dollars for each million requests at the edge. */
  readonly perMillionRequests: number;
}

/** The bill of a stage for a month. */
export interface StageCost {
  readonly lines: readonly CostLine[];
  /** By component, most expensive first. */
  readonly byComponent: readonly ComponentCost[];
  /** Dollars a month. */
  readonly monthly: number;
  /** Dollars for each million requests at the edge. */
  readonly perMillionRequests: number;
  /** Requests at the edge that the month brings, in millions. */
  readonly millionRequests: number;
}

/** Prices `size` at `load`, the month's mean. */
export function stageCost(
  definition: StageDefinition,
  size: StageSize,
  load: Load,
  parts: SystemParts,
): StageCost {
  const { services, workers } = parts;
  const lines = [
    ...edgeCost(size, load, definition.workload.payloadBytes),
    ...networkCost(size, definition, load, workers),
    ...services.flatMap((service) =>
      serviceCost(sizeOfService(size.service, service), load, service.trafficPercent),
    ),
    ...databaseCost(size.database, load, definition.workload),
    ...cacheCost(size.cache),
    ...workerCost(workers, load),
    ...observabilityCost(size, definition, load, parts),
    ...encryptionCost(parts),
  ];
  const millionRequests = millionsAMonth(load.requests);
  const byComponent = components
    .map((component) => {
      const monthly = totalOf(lines.filter((line) => line.component === component));
      return { component, monthly, perMillionRequests: monthly / millionRequests };
    })
    .sort((left, right) => right.monthly - left.monthly);
  const monthly = totalOf(lines);
  return {
    lines,
    byComponent,
    monthly,
    perMillionRequests: monthly / millionRequests,
    millionRequests,
  };
}
