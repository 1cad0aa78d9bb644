import { z } from 'zod';
import { alarmKey, runbookHeading } from '../../../lib/constructs/operations/runbook.ts';
import { readable } from '../support/readable.ts';
import { resourcesOf, type StackResource, type StackTemplate } from '../support/templates.ts';

const dimensions = z.array(z.object({ Name: z.string(), Value: z.unknown() })).default([]);
const comparison = z.enum([
  'GreaterThanThreshold',
  'GreaterThanOrEqualToThreshold',
  'LessThanThreshold',
  'LessThanOrEqualToThreshold',
]);
const metricStat = z.object({
  Metric: z.object({ Namespace: z.string(), MetricName: z.string(), Dimensions: dimensions }),
  Period: z.number(),
  Stat: z.string(),
});
const query = z.object({
  Id: z.string(),
  Expression: z.string().optional(),
  MetricStat: metricStat.optional(),
  ReturnData: z.boolean().optional(),
});
const actions = {
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  AlarmActions: z.array(z.unknown()).default([]),
  OKActions: z.array(z.unknown()).default([]),
};
const metricAlarmProperties = z.looseObject({
  ...actions,
  Threshold: z.number(),
  ComparisonOperator: comparison,
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.number(),
  TreatMissingData: z.enum(['missing', 'ignore', 'breaching', 'notBreaching']),
  EvaluateLowSampleCountPercentile: z.string().optional(),
  Namespace: z.string().optional(),
  MetricName: z.string().optional(),
  Dimensions: dimensions,
  Statistic: z.string().optional(),
  ExtendedStatistic: z.string().optional(),
  Period: z.number().optional(),
  Metrics: z.array(query).optional(),
});
const compositeAlarmProperties = z.looseObject({
  ...actions,
  AlarmRule: z.string(),
  ActionsSuppressor: z.unknown().optional(),
});

/** A metric as an alarm or a graph asks for it. */
export interface RequestedMetric {
  readonly namespace: string;
  readonly name: string;
  /** Values as a person would write them; references to resources as `${…}`. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: string;
  /** In seconds. */
  readonly period: number;
}

interface Common {
  readonly stage: string;
  /** `headroom-<stage>-…` */
  readonly name: string;
  /** The name without the stage. */
  readonly key: string;
  /** Section of the runbook that is about it. */
  readonly heading: string;
  readonly description: string;
  /** How many it tells when it goes off, and when it is over. */
  readonly actions: readonly [on: number, off: number];
  /** Where they go: the topics, as text. */
  readonly topics: string;
}

export interface MetricAlarm extends Common {
  readonly kind: 'metric';
  readonly properties: z.output<typeof metricAlarmProperties>;
  /** By the id that expressions use; a lone metric is `metric`. */
  readonly metrics: ReadonlyMap<string, RequestedMetric>;
  /** Id of the metric or expression that the alarm looks at. */
  readonly returned: string;
  /** In order: each uses only metrics and expressions before it. */
  readonly expressions: readonly (readonly [id: string, expression: string])[];
}

export interface CompositeAlarm extends Common {
  readonly kind: 'composite';
  readonly rule: string;
  readonly isSuppressed: boolean;
}

export type AnyAlarm = MetricAlarm | CompositeAlarm;

const textOf = (value: unknown): string => {
  const text = readable(value);
  return typeof text === 'string' ? text : JSON.stringify(text);
};

export function dimensionsOf(list: z.output<typeof dimensions>): Readonly<Record<string, string>> {
  return Object.fromEntries(list.map(({ Name, Value }) => [Name, textOf(Value)]));
}

function common(stack: StackTemplate, properties: z.output<z.ZodObject<typeof actions>>): Common {
  const key = alarmKey(properties.AlarmName, { name: stack.stage });
  return {
    stage: stack.stage,
    name: properties.AlarmName,
    key,
    heading: runbookHeading(key),
    description: properties.AlarmDescription,
    actions: [properties.AlarmActions.length, properties.OKActions.length],
    topics: JSON.stringify([properties.AlarmActions, properties.OKActions]),
  };
}

/** Those that use nothing that is still to come first. */
function inOrder(queries: readonly z.output<typeof query>[]): MetricAlarm['expressions'] {
  const waiting = new Map(
    queries.flatMap(({ Id, Expression }) =>
      Expression === undefined ? [] : [[Id, Expression] as const],
    ),
  );
  const ordered: [string, string][] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].find(
      ([, expression]) =>
        ![...waiting.keys()].some((id) => new RegExp(`\\b${id}\\b`).test(expression)),
    );
    if (ready === undefined) throw new Error('The expressions of an alarm need each other.');
    ordered.push([ready[0], ready[1]]);
    waiting.delete(ready[0]);
  }
  return ordered;
}

function metricAlarm(stack: StackTemplate, raw: unknown): MetricAlarm {
  const properties = metricAlarmProperties.parse(raw);
  const { Namespace, MetricName, Period, Metrics = [] } = properties;
  const metrics = new Map<string, RequestedMetric>();
  if (Namespace !== undefined && MetricName !== undefined && Period !== undefined) {
    metrics.set('metric', {
      namespace: Namespace,
      name: MetricName,
      dimensions: dimensionsOf(properties.Dimensions),
      statistic: properties.Statistic ?? properties.ExtendedStatistic ?? '',
      period: Period,
    });
  }
  for (const { Id, MetricStat } of Metrics) {
    if (MetricStat === undefined) continue;
    metrics.set(Id, {
      namespace: MetricStat.Metric.Namespace,
      name: MetricStat.Metric.MetricName,
      dimensions: dimensionsOf(MetricStat.Metric.Dimensions),
      statistic: MetricStat.Stat,
      period: MetricStat.Period,
    });
  }
  const returned = Metrics.filter(({ ReturnData }) => ReturnData !== false).map(({ Id }) => Id);
  if (returned.length > 1) throw new Error(`${properties.AlarmName} returns ${returned.join()}.`);
  return {
    ...common(stack, properties),
    kind: 'metric',
    properties,
    metrics,
    returned: returned[0] ?? 'metric',
    expressions: inOrder(Metrics),
  };
}

const scalingActions = z.looseObject({
  AlarmActions: z.tuple([z.object({ Ref: z.string() })]),
});

/** Whether it is what scales in steps: an alarm by name, but one that tells a policy of its own stack, and nobody else. */
function isScalingStep({ stack, Properties }: StackResource): boolean {
  const parsed = scalingActions.safeParse(Properties);
  const target = parsed.success ? parsed.data.AlarmActions[0].Ref : '';
  return stack.template.Resources[target]?.Type === 'AWS::ApplicationAutoScaling::ScalingPolicy';
}

/** Every alarm of `stacks` that is for people, metric alarms first. */
export function alarmsOf(stacks: readonly StackTemplate[]): readonly AnyAlarm[] {
  const metricAlarms = resourcesOf(stacks, 'AWS::CloudWatch::Alarm')
    .filter((resource) => !isScalingStep(resource))
    .map(({ stack, Properties }) => metricAlarm(stack, Properties));
  const composites = resourcesOf(stacks, 'AWS::CloudWatch::CompositeAlarm').map(
    ({ stack, Properties }): CompositeAlarm => {
      const properties = compositeAlarmProperties.parse(Properties);
      return {
        ...common(stack, properties),
        kind: 'composite',
        rule: properties.AlarmRule,
        isSuppressed: properties.ActionsSuppressor !== undefined,
      };
    },
  );
  return [...metricAlarms, ...composites];
}
