import type { Series } from './metric-math.ts';

export type State = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
export type Treatment = 'missing' | 'ignore' | 'breaching' | 'notBreaching';

const comparisons = {
  GreaterThanThreshold: (value: number, threshold: number) => value > threshold,
  GreaterThanOrEqualToThreshold: (value: number, threshold: number) => value >= threshold,
  LessThanThreshold: (value: number, threshold: number) => value < threshold,
  LessThanOrEqualToThreshold: (value: number, threshold: number) => value <= threshold,
} as const;
export type Comparison = keyof typeof comparisons;

/** What decides the state of a metric alarm, besides the data. */
export interface Evaluation {
  readonly comparison: Comparison;
  readonly threshold: number;
  /** N: how many datapoints are looked at. */
  readonly evaluationPeriods: number;
  /** M: how many of them have to breach. */
  readonly datapointsToAlarm: number;
  readonly treatment: Treatment;
}

/**
 * CloudWatch looks at some periods more than an alarm evaluates, how many it does not say; in its own examples it is two more. With data
 * missing, the newest that there are within that range count.
 */
export const EXTRA_PERIODS = 2;

/**
 * State of an alarm after a series of datapoints, by the rules of "How alarm state is evaluated when data is missing"
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html): enough real datapoints in the
 * evaluation range decide alone; with fewer, the missing ones are filled in as the treatment says.
 *
 * @param series - datapoints of the metric or expression, oldest first; those beyond the evaluation range are not looked at.
 * @param current - the state so far.
 */
export function stateOf(evaluation: Evaluation, series: Series, current: State): State {
  const { evaluationPeriods: periods, datapointsToAlarm: needed, treatment } = evaluation;
  const breaches = comparisons[evaluation.comparison];
  const range = series.slice(-(periods + EXTRA_PERIODS));
  const real = range.filter((value) => value !== undefined).slice(-periods);
  const breaching = real.filter((value) => breaches(value, evaluation.threshold)).length;
  const missing = periods - real.length;
  if (breaching >= needed) return 'ALARM';
  if (missing === 0) return 'OK';
  switch (treatment) {
    case 'breaching':
      return breaching + missing >= needed ? 'ALARM' : 'OK';
    case 'notBreaching':
      return 'OK';
    case 'ignore':
    case 'missing': {
      if (real.length > breaching) return 'OK';
      if (treatment === 'ignore') return current;
      // All that there is breaches. An alarm goes off early when the oldest of it is as old as the datapoints that it takes.
      const oldest = range.length - range.findIndex((value) => value !== undefined);
      if (real.length === 0) return 'INSUFFICIENT_DATA';
      return oldest >= needed || needed === periods ? 'ALARM' : 'OK';
    }
  }
}

/**
 * Whether a composite alarm goes off: rules of `ALARM("name")` with AND, or with OR.
 *
 * @throws Error for any other rule, or an alarm that there is none of.
 */
export function compositeState(rule: string, states: ReadonlyMap<string, State>): State {
  const terms = rule.split(/ (?:AND|OR) /);
  const results = terms.map((term) => {
    const name = /^ALARM\("([^"]+)"\)$/.exec(term)?.[1];
    const state = name === undefined ? undefined : states.get(name);
    if (state === undefined) throw new Error(`The rule has no alarm in "${term}": ${rule}`);
    return state === 'ALARM';
  });
  if (/ AND /.test(rule) && / OR /.test(rule))
    throw new Error(`The rule mixes AND and OR: ${rule}`);
  const isOn = / AND /.test(rule) ? results.every(Boolean) : results.some(Boolean);
  return isOn ? 'ALARM' : 'OK';
}
