/** Percentiles of the time from sending a request to having its whole response, in microseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** What one run of one subject showed. An operation is a request, a batch of messages, or one run of a command. */
export interface Measurement {
  readonly operations: number;
  readonly operationsPerSecond: number;
  /** CPU time of the subject's processes and all their threads, in microseconds; null where the system does not report it. */
  readonly cpuMicrosecondsPerOperation: number | null;
  /** Null for what is not measured from outside. */
  readonly latency: Latency | null;
  /** Processes that shared the work. */
  readonly processes: number;
  /** Share of the subject's cores that the subject used, 0 to 1. Well below 1 in a closed loop, something else was the limit. */
  readonly subjectBusy: number | null;
  /** Share of the subject's cores that other processes used, 0 to 1. More than some percent, and the run was disturbed. */
  readonly disturbance: number | null;
  /** Share of the other cores, those of load generator and databases, that was used, 0 to 1. */
  readonly otherCoresBusy: number | null;
  /** What else was found, by its name. @default nothing else */
  readonly figures?: Readonly<Record<string, number>>;
}

/**
 * How two subjects are compared; each comparison but the last is a ratio of the first to the second.
 *
 * - `speed`: operations a second, and the inverse of CPU time per operation; the worse of the two. So a subject gets no credit
 *   for a limit that lay elsewhere, such as in the database.
 * - `throughput`: operations a second.
 * - `capacity`: processes divided by CPU time per operation: what they could do if nothing else used their cores.
 * - `p99`: the 99th percentile of latency.
 * - `duration`: the time that one operation takes.
 * - `figure`: no ratio, but one of the subject's own figures, which `against` names.
 */
export type Comparison = 'speed' | 'throughput' | 'capacity' | 'p99' | 'duration' | 'figure';

/** Comparisons in which less is better, so that the bound is the most that is allowed. */
const LESS_IS_BETTER: ReadonlySet<Comparison> = new Set(['p99', 'duration', 'figure']);

/** A figure that `subject` is to reach in comparison with `against`. */
export interface Target {
  readonly subject: string;
  /** Another subject, or for `figure` the name of the figure. */
  readonly against: string;
  readonly comparison: Comparison;
  /** The least ratio that meets the target; the most for `p99`, `duration` and `figure`. */
  readonly bound: number;
}

export function lessIsBetter(comparison: Comparison): boolean {
  return LESS_IS_BETTER.has(comparison);
}
