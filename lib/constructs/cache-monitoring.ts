import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { OperationalAlarm } from './operational-alarm.ts';
import type { Operations } from './operations.ts';

const PERIOD = Duration.minutes(1);
/** Share of a node's memory above which it is about to evict, in percent. */
const MEMORY_PERCENT = 80;

/** What a dashboard shows of the cache: of all nodes, the one that is worst off. */
export interface CacheMetrics {
  /** Percent of the one core that runs commands. */
  readonly cpu: IMetric;
  /** Percent of the memory for data. */
  readonly memory: IMetric;
  /** Count per minute. */
  readonly evictions: IMetric;
  /** Seconds. */
  readonly replicationLag: IMetric;
}

/**
 * @param replicationGroupId - ElastiCache names the nodes of a group after it: `<id>-001`, `<id>-002` and so on.
 * @param nodes - how many nodes the group has.
 */
export function cacheMetrics(replicationGroupId: string, nodes: number): CacheMetrics {
  const worst = (metricName: string, statistic: string, label: string): IMetric => {
    const metrics = Array.from({ length: nodes }, (_, index) => {
      const node = String(index + 1).padStart(3, '0');
      return new Metric({
        namespace: 'AWS/ElastiCache',
        metricName,
        dimensionsMap: { CacheClusterId: `${replicationGroupId}-${node}` },
        statistic,
        period: PERIOD,
        label: `${label}, node ${node}`,
      });
    });
    const [only] = metrics;
    if (only !== undefined && metrics.length === 1) return only;
    const usingMetrics = Object.fromEntries(
      metrics.map((metric, index) => [`node${index + 1}`, metric]),
    );
    return new MathExpression({
      label,
      expression: `MAX([${Object.keys(usingMetrics).join(', ')}])`,
      usingMetrics,
      period: PERIOD,
    });
  };
  return {
    cpu: worst('EngineCPUUtilization', Stats.AVERAGE, 'Engine CPU'),
    memory: worst('DatabaseMemoryUsagePercentage', Stats.AVERAGE, 'Memory'),
    evictions: worst('Evictions', Stats.SUM, 'Evictions'),
    replicationLag: worst('ReplicationLag', Stats.MAXIMUM, 'Replication lag'),
  };
}

export function addCacheAlarms(
  scope: Construct,
  props: { readonly operations: Operations; readonly metrics: CacheMetrics },
): void {
  const { operations, metrics } = props;
  const { cpuPercent } = operations.stage.alarms;
  new OperationalAlarm(scope, 'Cpu', {
    operations,
    severity: 'ticket',
    meaning: `The core that runs a cache node's commands has been above ${cpuPercent} % for 10 minutes.`,
    metric: metrics.cpu,
    threshold: cpuPercent,
    periods: 10,
  });
  new OperationalAlarm(scope, 'Memory', {
    operations,
    severity: 'ticket',
    meaning: `A cache node has used more than ${MEMORY_PERCENT} % of its memory for 10 minutes and will soon evict.`,
    metric: metrics.memory,
    threshold: MEMORY_PERCENT,
    periods: 10,
  });
}
