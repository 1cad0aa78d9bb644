import { alarmKey } from '../../../lib/constructs/operations/runbook.ts';
import type { Severity } from '../../../lib/constructs/operations/severity.ts';
import type { AnyAlarm, MetricAlarm, RequestedMetric } from './alarms.ts';
import { metricCatalogue } from './metric-catalogue.ts';

const comparisons = {
  GreaterThanThreshold: '>',
  GreaterThanOrEqualToThreshold: '≥',
  LessThanThreshold: '<',
  LessThanOrEqualToThreshold: '≤',
} as const;
const silences = {
  missing: 'unknown',
  ignore: 'as it was',
  breaching: 'goes off',
  notBreaching: 'fine',
} as const;

const number = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: 3 });

function duration(seconds: number): string {
  for (const [unit, name] of [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
  ] as const) {
    if (seconds % unit === 0) return `${seconds / unit} ${name}`;
  }
  return `${seconds} s`;
}

const text = ({ namespace, name, statistic, dimensions }: RequestedMetric): string =>
  `${statistic} of ${namespace} ${name}${dimensions.Role === undefined ? '' : ` (${dimensions.Role})`}`;

/** What the alarm looks at: one metric, or the expression with what its names stand for. */
function looksAt(alarm: MetricAlarm): string {
  const names = new Map([...alarm.metrics].map(([id, metric]) => [id, text(metric)]));
  if (alarm.expressions.length === 0) {
    const [metric = ''] = names.values();
    // A stage may have one node only, where others have the worst of several.
    return metric.includes('AWS/ElastiCache') ? `MAX of the nodes: ${metric}` : metric;
  }
  const expressions = alarm.expressions.map(([id, expression]) =>
    id === alarm.returned ? `\`${expression}\`` : `${id}: \`${expression}\``,
  );
  const metrics = new Set(names.values());
  // Of like nodes only how they are put together matters, not what each is called.
  if (metrics.size === 1 && names.size > 1) {
    const function_ = /^(\w+)\(\[(ABS\(DIFF)?/.exec(alarm.expressions[0]?.[1] ?? '');
    const each = function_?.[2] === undefined ? '' : ', of its changes from minute to minute';
    return `${function_?.[1]} of the nodes${each}: ${[...metrics].join()}`;
  }
  return [...expressions.reverse(), ...[...names].map(([id, metric]) => `${id}: ${metric}`)].join(
    '; ',
  );
}

/** The unit of what is compared with the threshold: an expression of rates is in percent. */
function unitOf(alarm: MetricAlarm): string {
  const [first] = alarm.metrics.values();
  const isRate = alarm.expressions.some(([, expression]) => /100 \*|rate/.test(expression));
  if (isRate) return 'Percent';
  return (first && metricCatalogue[first.namespace]?.metrics[first.name]?.unit) ?? '';
}

function severityOf(alarm: AnyAlarm, composites: ReadonlyMap<string, Severity>): string {
  if (alarm.actions[0] > 0) return 'ticket';
  return composites.get(alarm.name) ?? '';
}

/** All but the threshold and the floor of traffic, which differ by stage. */
function row(alarm: MetricAlarm, severity: string): readonly string[] {
  const { properties } = alarm;
  const [{ period } = { period: 0 }] = alarm.metrics.values();
  const { DatapointsToAlarm: needed, EvaluationPeriods: periods } = properties;
  return [
    severity,
    looksAt(alarm).replaceAll(/>= \d+/g, '>= floor'),
    comparisons[properties.ComparisonOperator],
    unitOf(alarm),
    `${needed}/${periods} × ${duration(period)}`,
    silences[properties.TreatMissingData] +
      (properties.EvaluateLowSampleCountPercentile === 'ignore'
        ? '; as it was with few requests'
        : ''),
  ];
}

function conditionsOf(alarms: readonly AnyAlarm[]): ReadonlyMap<string, Severity> {
  const severities = new Map<string, Severity>();
  for (const alarm of alarms) {
    if (alarm.kind === 'metric') continue;
    const pages = alarm.key.includes('Page') || !(alarm.actions[0] > 0);
    for (const [, name = ''] of alarm.rule.matchAll(/"([^"]+)"/g)) {
      severities.set(name, pages ? 'page' : 'ticket');
    }
  }
  return severities;
}

/**
 * The table of all alarms, as Markdown, and the expressions in it.
 *
 * @throws Error where an alarm is something else in one stage, or in one shard, than in another: only thresholds may differ.
 */
export function alarmTable(alarms: readonly AnyAlarm[], stages: readonly string[]): string {
  const severities = conditionsOf(alarms);
  const rows = new Map<string, { cells: readonly string[]; thresholds: Map<string, string> }>();
  for (const alarm of alarms) {
    if (alarm.kind === 'composite') continue;
    const window = /\/(Long|Short)Window$/.exec(alarm.key)?.[0] ?? '';
    const name = `${alarm.heading}${window}`;
    const cells = row(alarm, severityOf(alarm, severities));
    const known = rows.get(name) ?? { cells, thresholds: new Map() };
    if (known.cells.join() !== cells.join()) {
      throw new Error(`${alarm.name} differs from its like:\n${known.cells}\n${cells}`);
    }
    const threshold = number(alarm.properties.Threshold);
    // Of services that share the traffic, each has a maximum of its own.
    const before = known.thresholds.get(alarm.stage)?.split(' or ') ?? [];
    known.thresholds.set(alarm.stage, [...new Set([...before, threshold])].join(' or '));
    rows.set(name, known);
  }
  const expressions: string[] = [];
  const lines = [...rows]
    .sort(([left], [right]) => left.localeCompare(right))
    .map(([name, { cells, thresholds }]) => {
      const [severity, looked = '', sign, unit, duration_, silence] = cells;
      // An expression stands once below the table, because several alarms have the same.
      if (looked.startsWith('`') && !expressions.includes(looked)) expressions.push(looked);
      const watched = looked.startsWith('`')
        ? `expression ${expressions.indexOf(looked) + 1}`
        : looked;
      const byStage = stages.map((stage) => thresholds.get(stage) ?? '—');
      return `| ${[`\`${name}\``, severity, `${watched} ${sign}`, unit, ...byStage, duration_, silence].join(' | ')} |`;
    });
  const head = ['Alarm', '', 'Goes off when', 'Unit', ...stages, 'For', 'Without data'];
  return [
    `| ${head.join(' | ')} |`,
    `|${' --- |'.repeat(head.length)}`,
    ...lines,
    '',
    'Expressions:',
    '',
    ...expressions.map((expression, index) => `${index + 1}. ${expression}`),
  ].join('\n');
}

/** The rules of the composite alarms of one stage, as Markdown. */
export function compositeTable(alarms: readonly AnyAlarm[], stage: string): string {
  const lines = alarms
    .filter((alarm) => alarm.kind === 'composite')
    .filter((alarm) => alarm.stage === stage)
    .map(({ key, rule, isSuppressed }) => {
      const text_ = rule.replaceAll(
        /ALARM\("([^"]+)"\)/g,
        (_, name: string) => `\`${alarmKey(name, { name: stage })}\``,
      );
      return `| \`${key}\` | ${text_} | ${isSuppressed ? 'while `observability/Page-api` is on' : ''} |`;
    });
  return ['| Alarm | Goes off with | Says nothing |', '| --- | --- | --- |', ...lines.sort()].join(
    '\n',
  );
}
