import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { stages } from './support/stages.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';

const alarms = resourcesOf(readTemplates(inject('cloudAssembly')), 'AWS::CloudWatch::Alarm');

const metricStat = z.object({
  Metric: z.object({ Namespace: z.string(), MetricName: z.string() }),
  Period: z.number(),
  Stat: z.string(),
});
const alarmProperties = z.looseObject({
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  AlarmActions: z.array(z.unknown()),
  Threshold: z.number(),
  ComparisonOperator: z.string(),
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.number(),
  TreatMissingData: z.string(),
  Namespace: z.string().optional(),
  MetricName: z.string().optional(),
  Statistic: z.string().optional(),
  ExtendedStatistic: z.string().optional(),
  Period: z.number().optional(),
  Metrics: z
    .array(
      z.object({
        Id: z.string(),
        Expression: z.string().optional(),
        MetricStat: metricStat.optional(),
        Period: z.number().optional(),
      }),
    )
    .optional(),
});
type AlarmProperties = z.output<typeof alarmProperties>;

/** What an alarm looks at, in the words of its row below. */
function watched(alarm: AlarmProperties): string {
  if (alarm.Metrics === undefined) {
    const statistic = alarm.Statistic ?? alarm.ExtendedStatistic;
    return `${statistic} of ${alarm.Namespace} ${alarm.MetricName} over ${alarm.Period} s`;
  }
  const expression = alarm.Metrics.find(({ Expression }) => Expression !== undefined);
  const stats = alarm.Metrics.flatMap(({ MetricStat }) => (MetricStat ? [MetricStat] : []));
  const metrics = new Set(
    stats.map(
      ({ Metric, Stat, Period }) =>
        `${Stat} of ${Metric.Namespace} ${Metric.MetricName} over ${Period} s`,
    ),
  );
  const text = [...metrics].join(', ');
  return expression === undefined ? text : `${expression.Expression} with ${text}`;
}

/**
 * Every alarm of production: what it watches, above what, and for how many of those periods. A row changes only by intention: units and
 * statistics are what such alarms are usually wrong in.
 */
const expected: Readonly<
  Record<string, readonly [watched: string, above: number, periods: number]>
> = {
  'api/Ingress/ErrorRate': [
    'IF(total >= 100, 100 * errors / total, 0) with Sum of AWS/ApplicationELB RequestCount over 60 s, Sum of AWS/ApplicationELB HTTPCode_Target_5XX_Count over 60 s, Sum of AWS/ApplicationELB HTTPCode_ELB_5XX_Count over 60 s',
    5,
    5,
  ],
  // In seconds, as the load balancer measures.
  'api/Service-user-api/Latency': ['p95 of AWS/ApplicationELB TargetResponseTime over 60 s', 1, 5],
  'api/Service-user-api/Cpu': ['Average of AWS/ECS CPUUtilization over 60 s', 80, 10],
  'api/Service-user-api/UnhealthyTasks': [
    'Minimum of AWS/ApplicationELB UnHealthyHostCount over 60 s',
    0,
    5,
  ],
  'api/Service-user-api/DeploymentErrors': [
    'IF(total >= 100, 100 * errors / total, 0) with Sum of AWS/ApplicationELB RequestCount over 60 s, Sum of AWS/ApplicationELB HTTPCode_Target_5XX_Count over 60 s',
    5,
    2,
  ],
  'data/Database/WriterCpu': ['Average of AWS/RDS CPUUtilization over 60 s', 80, 10],
  'data/Database/ReaderCpu': ['Average of AWS/RDS CPUUtilization over 60 s', 80, 10],
  'data/Database/Capacity': ['Average of AWS/RDS ACUUtilization over 60 s', 90, 10],
  // 80 % of the 1,669 connections that the largest capacity brings.
  'data/Database/WriterConnections': ['Maximum of AWS/RDS DatabaseConnections over 60 s', 1_335, 5],
  // In milliseconds.
  'data/Database/ReplicaLag': ['Maximum of AWS/RDS AuroraReplicaLag over 60 s', 1_000, 5],
  'data/Cache/Cpu': [
    'MAX([node1, node2, node3]) with Average of AWS/ElastiCache EngineCPUUtilization over 60 s',
    80,
    10,
  ],
  'data/Cache/Memory': [
    'MAX([node1, node2, node3]) with Average of AWS/ElastiCache DatabaseMemoryUsagePercentage over 60 s',
    80,
    10,
  ],
  'migrations/Migrations/Failed': ['Sum of AWS/Lambda Errors over 60 s', 0, 1],
  'workers/Worker-email/DeadLetters': [
    'Maximum of AWS/SQS ApproximateNumberOfMessagesVisible over 60 s',
    0,
    1,
  ],
  // In seconds.
  'workers/Worker-email/Age': [
    'Maximum of AWS/SQS ApproximateAgeOfOldestMessage over 60 s',
    300,
    5,
  ],
  'workers/Worker-email/Errors': ['Sum of AWS/Lambda Errors over 60 s', 0, 5],
  'workers/Worker-email/Throttles': ['Sum of AWS/Lambda Throttles over 60 s', 0, 5],
  'edge/Delivery/ErrorRate': [
    'IF(requests >= 100, rate, 0) with Sum of AWS/CloudFront Requests over 60 s, Average of AWS/CloudFront 5xxErrorRate over 60 s',
    5,
    5,
  ],
};

describe('alarms', () => {
  const parsed = alarms.map(({ stack, Properties }) => ({
    stage: stack.stage,
    alarm: alarmProperties.parse(Properties),
  }));
  const named = new Map(parsed.map(({ alarm }) => [alarm.AlarmName, alarm]));

  it('of every stage, are the ones that are reviewed here', () => {
    for (const { name } of stages) {
      const names = parsed
        .filter(({ stage }) => stage === name)
        .map(({ alarm }) => alarm.AlarmName.replace(`headroom-${name}-`, ''));
      expect(names.sort()).toEqual(Object.keys(expected).sort());
    }
  });

  it.each(Object.entries(expected))('production’s %s, when it is due, goes off', (path, row) => {
    const alarm = named.get(`headroom-production-${path}`);
    expect(alarm && [watched(alarm), alarm.Threshold, alarm.EvaluationPeriods]).toEqual(row);
  });

  it('of every stage, say what they mean, tell somebody, and take silence for quiet', () => {
    for (const { alarm } of parsed) {
      expect(alarm.AlarmDescription, alarm.AlarmName).toMatch(/^[A-Z"].{20,}\.$/);
      expect(alarm.AlarmActions, alarm.AlarmName).toHaveLength(1);
      expect(alarm, alarm.AlarmName).toMatchObject({
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'notBreaching',
        DatapointsToAlarm: alarm.EvaluationPeriods,
      });
    }
  });

  it('about percentiles, with few requests, stay as they are', () => {
    const percentiles = parsed.filter(({ alarm }) => watched(alarm).startsWith('p95'));
    expect(percentiles).toHaveLength(stages.length);
    for (const { alarm } of percentiles) {
      expect(alarm).toMatchObject({ EvaluateLowSampleCountPercentile: 'ignore' });
    }
  });
});
