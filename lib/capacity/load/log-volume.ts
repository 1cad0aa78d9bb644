import type { WorkerDefinition } from '../../config/workers.ts';
import { gigabytesAMonth } from '../data/month.ts';
import { unitCosts } from '../data/unit-costs.ts';
import type { Load } from './load.ts';
import { messagesPerSecond } from './worker-load.ts';

/** Of the responses out of a task's own memory, the share that gets a line in the log (`ACCESS_LOG_ONE_HIT_IN`). */
const LOGGED_NEAR_HIT_SHARE = 1 / 1_000;

/** GB a month that the service writes to its log. */
export function serviceLogGigabytes(load: Load): number {
  const lines = load.origin - load.nearHits * (1 - LOGGED_NEAR_HIT_SHARE);
  return gigabytesAMonth(lines, unitCosts.logBytesPerRequest.value);
}

/** GB a month that the workers write to theirs. */
export function workerLogGigabytes(workers: readonly WorkerDefinition[], load: Load): number {
  return workers.reduce(
    (sum, worker) =>
      sum + gigabytesAMonth(messagesPerSecond(worker, load), unitCosts.logBytesPerMessage.value),
    0,
  );
}
