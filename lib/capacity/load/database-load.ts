import { assumptions } from '../data/assumptions.ts';
import { unitCosts } from '../data/unit-costs.ts';
import type { Load } from './load.ts';

const PERCENT = 100;
/** Average CPU that instances are chosen for: a failover may double what the one that is left has to do. */
export const DATABASE_CPU_TARGET_PERCENT = 50;
/** An Aurora capacity unit is 2 GiB with the CPU that goes with them; memory-optimised instances have 8 GiB a vCPU. */
export const CAPACITY_UNITS_PER_VCPU = 4;
/** Aurora's most, for one instance of Serverless v2 and for readers of a cluster. */
export const MOST_CAPACITY_UNITS = 256;
export const MOST_READERS = 15;

/** vCPUs that the writer needs for `load` at its CPU target. */
export function writerVcpus(load: Load): number {
  const reads = load.databaseReads * assumptions.readerBehindShare.value;
  const vcpus =
    load.writes / unitCosts.databaseWritesPerVcpu.value +
    reads / unitCosts.databaseReadsPerVcpu.value;
  return vcpus / (DATABASE_CPU_TARGET_PERCENT / PERCENT);
}

/** vCPUs that all readers together need for `load` at their CPU target. */
export function readerVcpus(load: Load): number {
  const vcpus = load.databaseReads / unitCosts.databaseReadsPerVcpu.value;
  return vcpus / (DATABASE_CPU_TARGET_PERCENT / PERCENT);
}

/** {@link writerVcpus} in Aurora capacity units. */
export const writerCapacityUnits = (load: Load): number =>
  writerVcpus(load) * CAPACITY_UNITS_PER_VCPU;

/** {@link readerVcpus} in Aurora capacity units. */
export const readerCapacityUnits = (load: Load): number =>
  readerVcpus(load) * CAPACITY_UNITS_PER_VCPU;
