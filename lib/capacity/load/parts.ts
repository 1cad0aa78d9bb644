import { type ScheduledFunctionDefinition, scheduledFunctions } from '../../config/schedules.ts';
import { type ServiceDefinition, services } from '../../config/services.ts';
import { type WorkerDefinition, workers } from '../../config/workers.ts';

/** The programs of a stage. */
export interface SystemParts {
  /** Each has its share of the traffic: `trafficPercent`. */
  readonly services: readonly ServiceDefinition[];
  readonly workers: readonly WorkerDefinition[];
  readonly schedules: readonly ScheduledFunctionDefinition[];
}

/** Those of `lib/config`. */
export const standardParts: SystemParts = { services, workers, schedules: scheduledFunctions };
