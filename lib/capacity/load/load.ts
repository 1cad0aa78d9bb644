import type { StageDefinition } from '../../config/stage.ts';
import type { Workload } from '../../config/workload.ts';
import { assumptions } from '../data/assumptions.ts';
import { type UnitCost, unitCosts } from '../data/unit-costs.ts';

const MONTHS_PER_YEAR = 12;
const PERCENT = 100;
const MICROSECONDS = 1_000_000;

/** What reaches each part at some rate of requests, per second. */
export interface Load {
  /** Requests at the edge. */
  readonly requests: number;
  /** Reads that the edge answers itself. */
  readonly edgeHits: number;
  /** Requests that reach the tasks. */
  readonly origin: number;
  /** Reads that a task answers from its own memory. */
  readonly nearHits: number;
  /** Reads that ask the cache cluster. */
  readonly cacheReads: number;
  /** Reads that ask the database. */
  readonly databaseReads: number;
  readonly writes: number;
  /** Writes that create a user, and so send an email. */
  readonly creations: number;
  readonly logins: number;
}

/** What a stage is sized for: the load in the mean and at its peaks, after the growth of the planning time; and what it is now. */
export interface PlannedLoad {
  /** The month's mean now, before any growth: what this month is paid for. */
  readonly today: Load;
  readonly mean: Load;
  /** At the peak of an ordinary day. */
  readonly peak: Load;
  /** At the peak of the largest scheduled event, or of an ordinary day where there is none. */
  readonly event: Load;
}

/** How many times today's load the stage is sized for: its growth until the end of the planning time. */
export function growthFactor({ growthPercentPerYear }: Workload): number {
  return (
    (1 + growthPercentPerYear / PERCENT) ** (assumptions.planningMonths.value / MONTHS_PER_YEAR)
  );
}

/** What reaches each part when `requests` per second arrive at the edge. */
export function loadAt(workload: Workload, requests: number): Load {
  const reads = (requests * workload.readPercent) / PERCENT;
  const writes = requests - reads;
  const edgeHits =
    ((reads * workload.edgeCacheablePercent) / PERCENT) * assumptions.edgeHitShare.value;
  const originReads = reads - edgeHits;
  const nearHits = originReads * assumptions.nearCacheHitShare.value;
  const cacheReads = originReads - nearHits;
  return {
    requests,
    edgeHits,
    origin: requests - edgeHits,
    nearHits,
    cacheReads,
    databaseReads: cacheReads * (1 - assumptions.cacheHitShare.value),
    writes,
    creations: (writes * workload.createPercent) / PERCENT,
    logins: (requests * workload.loginPercent) / PERCENT,
  };
}

/** The loads that follow from a stage's workload and its events. */
export function plannedLoad({ workload, policy }: StageDefinition): PlannedLoad {
  const now = workload.peakRequestsPerSecond;
  const peak = now * growthFactor(workload);
  const largestEvent = Math.max(1, ...policy.events.map(({ peakFactor }) => peakFactor));
  return {
    today: loadAt(workload, (now * workload.averagePercent) / PERCENT),
    mean: loadAt(workload, (peak * workload.averagePercent) / PERCENT),
    peak: loadAt(workload, peak),
    event: loadAt(workload, peak * largestEvent),
  };
}

/** One kind of work that tasks do, and the CPU that it takes. */
export interface Work {
  readonly kind: string;
  /** How often, per second. */
  readonly rate: number;
  /** vCPUs that it keeps busy. */
  readonly vcpus: number;
}

/** What tasks do at `load`, by kind. */
export function workOf(load: Load): readonly Work[] {
  const kinds: readonly (readonly [kind: string, rate: number, cost: UnitCost])[] = [
    ['reads out of memory', load.nearHits, unitCosts.nearCacheHitMicroseconds],
    [
      'reads out of the cache',
      load.cacheReads - load.databaseReads,
      unitCosts.redisHitMicroseconds,
    ],
    ['reads out of the database', load.databaseReads, unitCosts.databaseReadMicroseconds],
    ['writes', load.writes, unitCosts.writeMicroseconds],
    ['passwords hashed', load.logins, unitCosts.loginMicroseconds],
    ['around each request', load.origin, unitCosts.requestOverheadMicroseconds],
  ];
  return kinds.map(([kind, rate, { value }]) => ({
    kind,
    rate,
    vcpus: (rate * value) / MICROSECONDS / unitCosts.vcpuOfMeasuredCore.value,
  }));
}

/** vCPUs that tasks need for `load` at full use. */
export function vcpusFor(load: Load): number {
  return workOf(load).reduce((sum, { vcpus }) => sum + vcpus, 0);
}
