import type { DurationHistogram } from './counters.ts';
import type { MetricSources } from './sources.ts';

export type Labels = Readonly<Record<string, string | number>>;

/** One number, and what it is the number of. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  readonly durations: DurationHistogram;
}

interface Description {
  /** By Prometheus' conventions: the unit at the end, `_total` for what only rises (https://prometheus.io/docs/practices/naming/). */
  readonly name: string;
  /** What it counts or measures, for `# HELP` and the docs. */
  readonly help: string;
  /** Names of its labels. @default none */
  readonly labels?: readonly string[];
}

/**
 * A metric, and how it is read when somebody asks. Parts of the service keep plain numbers; nothing here runs on the way of a request.
 */
export type MetricDefinition = Description &
  (
    | {
        readonly type: 'counter' | 'gauge';
        readonly read: (sources: MetricSources) => readonly Sample[] | Promise<readonly Sample[]>;
      }
    | {
        readonly type: 'histogram';
        readonly read: (sources: MetricSources) => readonly HistogramSample[];
      }
  );

/** One sample without labels. */
export function single(value: number): readonly Sample[] {
  return [{ labels: {}, value }];
}

/** A sample for each of `values`, by the name in the label `label`. */
export function byLabel(
  label: string,
  values: Readonly<Record<string, number>>,
): readonly Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}
