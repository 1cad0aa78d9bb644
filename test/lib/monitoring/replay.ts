import { compositeState, EXTRA_PERIODS, type State, stateOf } from './alarm-state.ts';
import type { AnyAlarm, CompositeAlarm, MetricAlarm, RequestedMetric } from './alarms.ts';
import type { Data } from './courses.ts';
import { evaluateMetricMath, type Series } from './metric-math.ts';

const SECONDS_PER_MINUTE = 60;

/** Makes one datapoint of a period's minutes, as CloudWatch does. A percentile is one of each minute's, of which the largest counts. */
function aggregate(statistic: string, values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sum = values.reduce((total, value) => total + value, 0);
  if (statistic === 'Sum') return sum;
  if (statistic === 'Average') return sum / values.length;
  if (statistic === 'Minimum') return Math.min(...values);
  if (statistic === 'Maximum' || /^p\d+$/.test(statistic)) return Math.max(...values);
  throw new Error(`The statistic ${statistic} is not known here.`);
}

function seriesOf(metric: RequestedMetric, data: Data, length: number): Series {
  const { Role } = metric.dimensions;
  const name = `${metric.namespace} ${metric.name}${Role === undefined ? '' : ` ${Role}`}`;
  const course = data[name];
  if (course === undefined) throw new Error(`The scenarios say nothing of ${name}.`);
  const minutes = metric.period / SECONDS_PER_MINUTE;
  return Array.from({ length }, (_, index) => {
    const newest = (length - 1 - index) * minutes;
    const values = Array.from({ length: minutes }, (_value, minute) =>
      course(newest + minute, metric.dimensions),
    );
    return aggregate(
      metric.statistic,
      values.filter((value) => value !== undefined),
    );
  });
}

/** The datapoints that an alarm looks at, one more than its range, so that differences have one to begin with. */
export function datapointsOf(alarm: MetricAlarm, data: Data): Series {
  const length = alarm.properties.EvaluationPeriods + EXTRA_PERIODS + 1;
  const series = new Map<string, Series>();
  for (const [id, metric] of alarm.metrics) series.set(id, seriesOf(metric, data, length));
  for (const [id, expression] of alarm.expressions) {
    series.set(id, evaluateMetricMath(expression, series, length));
  }
  const datapoints = series.get(alarm.returned);
  if (datapoints === undefined) throw new Error(`${alarm.name} looks at nothing.`);
  return datapoints;
}

function metricState(alarm: MetricAlarm, data: Data): State {
  const { properties } = alarm;
  return stateOf(
    {
      comparison: properties.ComparisonOperator,
      threshold: properties.Threshold,
      evaluationPeriods: properties.EvaluationPeriods,
      datapointsToAlarm: properties.DatapointsToAlarm,
      treatment: properties.TreatMissingData,
    },
    datapointsOf(alarm, data),
    'OK',
  );
}

const isReady = (alarm: CompositeAlarm, states: ReadonlyMap<string, State>): boolean =>
  [...alarm.rule.matchAll(/"([^"]+)"/g)].every(([, name]) => states.has(name ?? ''));

/**
 * The state of every alarm of a stage after a course of its metrics, all having been OK; by name.
 *
 * @throws Error for a composite alarm of alarms that the stage does not have.
 */
export function replay(alarms: readonly AnyAlarm[], data: Data): ReadonlyMap<string, State> {
  const states = new Map<string, State>();
  for (const alarm of alarms) {
    if (alarm.kind === 'metric') states.set(alarm.name, metricState(alarm, data));
  }
  let waiting = alarms.filter((alarm) => alarm.kind === 'composite');
  while (waiting.length > 0) {
    const ready = waiting.filter((alarm) => isReady(alarm, states));
    if (ready.length === 0) {
      throw new Error(`There are no alarms for ${waiting.map(({ rule }) => rule).join('; ')}`);
    }
    for (const alarm of ready) states.set(alarm.name, compositeState(alarm.rule, states));
    waiting = waiting.filter((alarm) => !ready.includes(alarm));
  }
  return states;
}
