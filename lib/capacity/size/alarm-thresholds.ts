import type { AlarmThresholds, StageSize } from '../../config/size.ts';
import type { StageDefinition } from '../../config/stage.ts';
import { findInstanceClass } from '../data/database-instances.ts';
import type { FigureBook } from '../data/figures.ts';
import { rounded } from '../data/rounded.ts';
import { unitCosts } from '../data/unit-costs.ts';
import { growthFactor, type PlannedLoad } from '../load/load.ts';

const PERCENT = 100;
const SECONDS_PER_MINUTE = 60;
const GIBIBYTE = 1_024 ** 3;
const BYTES_PER_CAPACITY_UNIT = 2 * GIBIBYTE;

const ERROR_RATE_PERCENT = 5;
const LATENCY_SECONDS = 1;
const TAIL_LATENCY_SECONDS = 2;
const CPU_PERCENT = 80;
const MEMORY_PERCENT = 85;
/** Below 20 requests one failure is 5 %; with more than 100 nothing is learned by waiting for more. */
const FEWEST_REQUESTS = 20;
const ENOUGH_REQUESTS = 100;
const REQUEST_THRESHOLD_PERCENT = 1;
/** Share of `max_connections` above which something leaks, or scales past its budget. */
const CONNECTIONS_PERCENT = 80;
const FREE_MEMORY_PERCENT = 5;
/** Data beyond the plan by this factor has another cause than growth. */
const STORAGE_FACTOR = 1.5;
const LEAST_STORAGE_BYTES = 10 * GIBIBYTE;
/** Above it reads fall back to the writer often enough to be felt; Aurora's lag is usually below 100 ms. */
const REPLICA_LAG_MILLISECONDS = 1_000;
const CACHE_MEMORY_PERCENT = 80;
const BLOCKED_PERCENT = 10;
const FEWEST_BLOCKED_REQUESTS = 1_000;
/** How long a message may wait, in seconds, by the objective that the stage has at least, in percent. */
const queueAgeByAvailability = [
  [99.9, 300],
  [99.5, 600],
  [0, 900],
] as const;

/** Decides when the alarms of a stage go off. */
export function alarmThresholds(
  book: FigureBook,
  { policy, workload }: StageDefinition,
  load: PlannedLoad,
  { database }: StageSize,
): AlarmThresholds {
  const requestsPerMinute = load.mean.origin * SECONDS_PER_MINUTE;
  const threshold = Math.ceil((requestsPerMinute * REQUEST_THRESHOLD_PERCENT) / PERCENT);
  const memory =
    database.mode === 'serverless'
      ? database.maximumCapacityUnits * BYTES_PER_CAPACITY_UNIT
      : (findInstanceClass(database.instanceClass)?.memoryGibibytes ?? 1) * GIBIBYTE;
  const data =
    workload.users * growthFactor(workload) * unitCosts.databaseBytesPerUser.value * STORAGE_FACTOR;
  const age = queueAgeByAvailability.find(([percent]) => policy.availabilityPercent >= percent);
  return {
    errorRatePercent: book.decide(
      'alarms.errorRatePercent',
      ERROR_RATE_PERCENT,
      'one request in twenty fails: users notice',
    ),
    errorRateMinimumRequests: book.decide(
      'alarms.errorRateMinimumRequests',
      Math.min(ENOUGH_REQUESTS, Math.max(FEWEST_REQUESTS, threshold)),
      `${REQUEST_THRESHOLD_PERCENT} % of ${rounded(requestsPerMinute)} requests a minute in the mean, from ${FEWEST_REQUESTS} to ${ENOUGH_REQUESTS}`,
    ),
    latencySeconds: book.decide(
      'alarms.latencySeconds',
      LATENCY_SECONDS,
      'a person who waits a second loses the thread',
    ),
    tailLatencySeconds: book.decide(
      'alarms.tailLatencySeconds',
      TAIL_LATENCY_SECONDS,
      'one request in a hundred; twice the 95th percentile',
    ),
    cpuPercent: book.decide(
      'alarms.cpuPercent',
      CPU_PERCENT,
      'above what scaling aims at: it does not keep up',
    ),
    memoryPercent: book.decide(
      'alarms.memoryPercent',
      MEMORY_PERCENT,
      'a task that needs more than it has is killed',
    ),
    availabilityPercent: book.decide(
      'alarms.availabilityPercent',
      policy.availabilityPercent,
      'policy: the objective that burn rates are measured by',
    ),
    databaseConnections: book.decide(
      'alarms.databaseConnections',
      Math.floor((database.maximumConnections * CONNECTIONS_PERCENT) / PERCENT),
      `${CONNECTIONS_PERCENT} % of the ${database.maximumConnections} that an instance takes`,
    ),
    databaseFreeMemoryBytes: book.decide(
      'alarms.databaseFreeMemoryBytes',
      Math.floor((memory * FREE_MEMORY_PERCENT) / PERCENT),
      `${FREE_MEMORY_PERCENT} % of ${rounded(memory / GIBIBYTE)} GiB`,
    ),
    databaseStorageBytes: book.decide(
      'alarms.databaseStorageBytes',
      Math.round(Math.max(LEAST_STORAGE_BYTES, data)),
      `${rounded(workload.users * growthFactor(workload))} users × ${unitCosts.databaseBytesPerUser.value} bytes × ${STORAGE_FACTOR}, at least ${LEAST_STORAGE_BYTES / GIBIBYTE} GiB`,
    ),
    replicaLagMilliseconds: book.decide(
      'alarms.replicaLagMilliseconds',
      REPLICA_LAG_MILLISECONDS,
      'reads fall back to the writer often enough to be felt; usually it is below 100',
    ),
    cacheMemoryPercent: book.decide(
      'alarms.cacheMemoryPercent',
      CACHE_MEMORY_PERCENT,
      'it is about to evict',
    ),
    queueAgeSeconds: book.decide(
      'alarms.queueAgeSeconds',
      age?.[1] ?? queueAgeByAvailability[0][1],
      `for an objective of ${policy.availabilityPercent} %; longer than one failed delivery is hidden`,
    ),
    blockedRequestsPerMinute: book.decide(
      'alarms.blockedRequestsPerMinute',
      Math.max(
        FEWEST_BLOCKED_REQUESTS,
        Math.ceil((load.mean.requests * SECONDS_PER_MINUTE * BLOCKED_PERCENT) / PERCENT),
      ),
      `${BLOCKED_PERCENT} % of the mean load, at least ${FEWEST_BLOCKED_REQUESTS}`,
    ),
  };
}
