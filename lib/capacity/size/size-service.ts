import { leastFargateMemory } from '../../config/fargate.ts';
import type { StageSize } from '../../config/size.ts';
import type { StageDefinition } from '../../config/stage.ts';
import { assumptions } from '../data/assumptions.ts';
import { COLLECTOR_MEBIBYTES } from '../data/collector.ts';
import type { FigureBook } from '../data/figures.ts';
import { rounded } from '../data/rounded.ts';
import { unitCosts } from '../data/unit-costs.ts';
import { type Load, type PlannedLoad, vcpusFor } from '../load/load.ts';
import { LEAST_ROOM_TO_GROW } from '../load/service-share.ts';
import { redundancyOf } from './availability.ts';

const UNITS_PER_VCPU = 1_024;
const SECONDS_PER_MINUTE = 60;
const PERCENT = 100;
/** One process of Node.js fills one core; the last is therefore the largest worth having. */
const CPU_SIZES = [256, 512, UNITS_PER_VCPU] as const;
const MEBIBYTE = 1_024 ** 2;
/** Beside the near cache and its copies in the heap, a process needs most of its memory for itself. */
const NEAR_CACHE_PART = 8;
/** Few tasks share a load badly, and many small ones pay for a runtime each: a larger size is taken where more would be needed. */
const MANY_TASKS = 10;
/** Average CPU that scaling aims at: the rest is for the minutes until new tasks have started. */
const CPU_TARGET_PERCENT = 70;
/** Requests come in bursts: what a pool is asked for at once, as a multiple of the mean. */
const POOL_BURST = 4;
/** Two for requests, one for the outbox, one for a slow statement. */
const SMALLEST_POOL = 4;
/** Tasks for an event are there so long before it, for caches to fill and a person to look. */
const EVENT_LEAD_MILLISECONDS = 30 * 60 * 1_000;

/** vCPUs of tasks that `load` needs when their average CPU is at its target. */
const vcpusAtTarget = (load: Load, targetPercent: number): number =>
  vcpusFor(load) / (targetPercent / PERCENT);

function chooseCpuUnits(peak: Load): number {
  const needed = vcpusAtTarget(peak, CPU_TARGET_PERCENT) * UNITS_PER_VCPU;
  return CPU_SIZES.find((units) => needed / units <= MANY_TASKS) ?? UNITS_PER_VCPU;
}

/** Sizes the tasks of services, and decides between how many of them scaling may choose for all of the traffic. */
export function sizeService(
  book: FigureBook,
  stage: StageDefinition,
  load: PlannedLoad,
): StageSize['service'] {
  const { policy, availabilityZones } = stage;
  const redundancy = redundancyOf(stage);
  const cpuTargetPercent = book.decide(
    'service.cpuTargetPercent',
    CPU_TARGET_PERCENT,
    'the rest of the CPU is for the minutes until new tasks have started',
  );
  const cpuUnits = book.decide(
    'service.cpuUnits',
    chooseCpuUnits(load.event),
    `the smallest size of which at most ${MANY_TASKS} tasks carry the peak, up to one vCPU, as one Node.js process fills one core`,
  );
  const collectorMebibytes = policy.telemetry === undefined ? 0 : COLLECTOR_MEBIBYTES;
  const memoryMebibytes = book.decide(
    'service.memoryMebibytes',
    leastFargateMemory(cpuUnits, unitCosts.processMebibytes.value + collectorMebibytes) ??
      cpuUnits * 2,
    `the least that Fargate gives ${cpuUnits} CPU units; a process needs ${unitCosts.processMebibytes.value} MiB${collectorMebibytes === 0 ? '' : `, the collector of telemetry ${collectorMebibytes}`}`,
  );
  const tasksFor = (some: Load): number =>
    Math.max(
      1,
      Math.ceil(
        (vcpusAtTarget(some, cpuTargetPercent) * redundancy.zoneFactor * UNITS_PER_VCPU) / cpuUnits,
      ),
    );
  const reasonFor = (some: Load): string =>
    `${rounded(some.origin)} requests/s past the edge need ${rounded(vcpusFor(some))} vCPUs, at ${cpuTargetPercent} % of tasks of ${cpuUnits / UNITS_PER_VCPU}`;
  const nearCacheBytes = book.decide(
    'service.nearCacheBytes',
    Math.floor((memoryMebibytes * MEBIBYTE) / NEAR_CACHE_PART),
    `1/${NEAR_CACHE_PART} of the task's memory: the heap takes twice as much for it`,
  );
  const eachZone = redundancy.survivesZoneLoss
    ? availabilityZones.length
    : redundancy.replicated
      ? 2
      : 1;
  const redundantTasks = book.decide(
    'service.redundantTasks',
    eachZone,
    `of each service${eachZone > 1 ? ', so that a lost task or zone is not all of it' : ''}; ${redundancy.why}`,
  );
  const minimumTasks = book.decide(
    'service.minimumTasks',
    Math.max(redundantTasks, Math.ceil(tasksFor(load.mean) / 2)),
    `half of what the mean load needs, for the night, and at least ${redundantTasks}`,
  );
  const typicalTasks = book.decide(
    'service.typicalTasks',
    Math.max(minimumTasks, tasksFor(load.mean)),
    `in the mean, ${reasonFor(load.mean)}; ${redundancy.why}`,
  );
  const maximumTasks = book.decide(
    'service.maximumTasks',
    Math.max(tasksFor(load.event), LEAST_ROOM_TO_GROW * minimumTasks),
    `at the highest peak, ${reasonFor(load.event)}; ${redundancy.why}; at least ${LEAST_ROOM_TO_GROW} × the minimum`,
  );
  const perTask =
    (load.peak.origin / vcpusFor(load.peak)) *
    (cpuUnits / UNITS_PER_VCPU) *
    (cpuTargetPercent / PERCENT);
  const requestsPerTaskPerMinute = book.decide(
    'service.requestsPerTaskPerMinute',
    Math.max(60, Math.floor(perTask * SECONDS_PER_MINUTE)),
    `${rounded((vcpusFor(load.peak) / load.peak.origin) * 1e6)} µs of CPU a request of the peak's mix, of which a task has ${cpuTargetPercent} % of ${cpuUnits / UNITS_PER_VCPU} vCPU`,
  );
  const statements = load.peak.databaseReads + load.peak.writes;
  const perTaskStatements = (statements / load.peak.origin) * perTask;
  const databasePoolSize = book.decide(
    'service.databasePoolSize',
    Math.max(
      SMALLEST_POOL,
      Math.ceil(perTaskStatements * assumptions.connectionHeldSeconds.value * POOL_BURST),
    ),
    `${rounded(perTaskStatements)} statements/s a task × ${assumptions.connectionHeldSeconds.value * 1_000} ms × ${POOL_BURST} for bursts (Little's law), at least ${SMALLEST_POOL}`,
  );
  const lead = (from: string): string =>
    new Date(Date.parse(from) - EVENT_LEAD_MILLISECONDS).toISOString();
  return {
    cpuUnits,
    memoryMebibytes,
    redundantTasks,
    minimumTasks,
    typicalTasks,
    maximumTasks,
    cpuTargetPercent,
    requestsPerTaskPerMinute,
    stepScaling: book.decide(
      'service.stepScaling',
      policy.scaling === 'steps',
      `policy: scaling by ${policy.scaling}`,
    ),
    nearCacheBytes,
    databasePoolSize,
    spotPercent: book.decide(
      'service.spotPercent',
      policy.spotPercent,
      'policy: share of the tasks beyond the minimum that AWS may take back',
    ),
    events: book.decide(
      'service.events',
      policy.events.map(({ name, from, until, peakFactor }) => ({
        name,
        from: lead(from),
        until,
        // Never fewer than without the event.
        minimumTasks: Math.max(
          minimumTasks,
          Math.min(
            maximumTasks,
            Math.ceil((tasksFor(load.peak) * peakFactor) / LEAST_ROOM_TO_GROW),
          ),
        ),
      })),
      'policy: half of what its peak needs is there half an hour before; scaling adds the rest',
    ),
  };
}
