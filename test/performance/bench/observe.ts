import { busyShare, coreTimes, cpuSecondsOfGroup } from './cpu-time.ts';
import type { Measurement } from './measurement.ts';

/** What the machine tells of a run, beside what the load generator or the program itself tells. */
export type Observation = Pick<
  Measurement,
  'cpuMicrosecondsPerOperation' | 'subjectBusy' | 'disturbance' | 'otherCoresBusy'
>;

export interface ObservedProcesses {
  readonly processGroups: readonly number[];
  /** Where they run. */
  readonly cores: readonly number[];
  /** The other cores of the benchmark that are not among `cores`. */
  readonly otherCores: readonly number[];
}

const MICROSECONDS = 1_000_000;

/**
 * Reads the processor times before and after `action`.
 *
 * @param operationsOf - how many operations the result stands for.
 */
export async function observe<Result>(
  processes: ObservedProcesses,
  action: () => Promise<Result>,
  operationsOf: (result: Result) => number,
): Promise<{ readonly result: Result; readonly observation: Observation }> {
  const read = () => ({
    cpu: sum(processes.processGroups.map(cpuSecondsOfGroup)),
    own: coreTimes(processes.cores),
    others: coreTimes(processes.otherCores),
  });
  const before = read();
  const result = await action();
  const after = read();
  const cpu = before.cpu === null || after.cpu === null ? null : after.cpu - before.cpu;
  const total =
    before.own === null || after.own === null ? null : after.own.total - before.own.total;
  const subjectBusy = cpu === null || total === null || total === 0 ? null : cpu / total;
  const coresBusy = busyShare(before.own, after.own);
  const operations = operationsOf(result);
  return {
    result,
    observation: {
      cpuMicrosecondsPerOperation:
        cpu === null || operations === 0 ? null : (cpu * MICROSECONDS) / operations,
      subjectBusy,
      disturbance:
        coresBusy === null || subjectBusy === null ? null : Math.max(0, coresBusy - subjectBusy),
      otherCoresBusy: busyShare(before.others, after.others),
    },
  };
}

/** Null as soon as one is. */
function sum(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>(
    (all, value) => (all === null || value === null ? null : all + value),
    0,
  );
}
