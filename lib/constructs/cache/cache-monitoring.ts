import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { OperationalAlarm } from '../operations/operational-alarm.ts';
import type { Operations } from '../operations/operations.ts';

const PERIOD = Duration.minutes(1);
/** A replica this far behind would lose as much if it took over now, in seconds; it is usually below one. */
const REPLICATION_LAG_SECONDS = 5;
/** Minutes of evictions that are not a burst's: the cache is made for every entry to fit. */
const EVICTION_MINUTES = 15;

/** What a dashboard shows of one shard of a replication group: of its nodes, the one that is worst off. */
export interface ShardMetrics {
  /** Number of the shard, from 1; undefined where there is but one. */
  readonly shard: number | undefined;
  /** Percent of the one core that runs commands. */
  readonly cpu: IMetric;
  /** Percent of the memory for data. */
  readonly memory: IMetric;
  /** Count per minute. */
  readonly evictions: IMetric;
  /** Keys found per minute, on all nodes. */
  readonly hits: IMetric;
  /** Keys not found per minute, on all nodes. */
  readonly misses: IMetric;
  /** Seconds. */
  readonly replicationLag: IMetric;
  /** 1 in the minute in which a node became the primary or ceased to be it. */
  readonly failovers: IMetric;
}

/** The shards of the group that is the cache, and of the one that keeps sessions. */
export interface CacheMetrics {
  readonly cache: readonly ShardMetrics[];
  readonly sessions: readonly ShardMetrics[];
}

export interface ReplicationGroupShape {
  readonly replicationGroupId: string;
  readonly shards: number;
  /** Of each shard. */
  readonly replicas: number;
  /** What the metrics' ids begin with, to be told from another group's in one graph: lower-case letters. */
  readonly idPrefix: string;
}

/** ElastiCache names the nodes of a group after it: `<id>-001`, or `<id>-0001-001` where there are shards (cluster mode). */
function nodeIds({ replicationGroupId, shards, replicas }: ReplicationGroupShape, shard: number) {
  const group =
    shards > 1 ? `${replicationGroupId}-${String(shard).padStart(4, '0')}` : replicationGroupId;
  return Array.from(
    { length: 1 + replicas },
    (_, index) => `${group}-${String(index + 1).padStart(3, '0')}`,
  );
}

export function replicationGroupMetrics(group: ReplicationGroupShape): readonly ShardMetrics[] {
  return Array.from({ length: group.shards }, (_, index) => shardMetrics(group, index + 1));
}

function shardMetrics(group: ReplicationGroupShape, shard: number): ShardMetrics {
  const ids = nodeIds(group, shard);
  const place = group.shards > 1 ? `, shard ${shard}` : '';
  const combined = (
    metricName: string,
    statistic: string,
    label: string,
    expression: (nodes: readonly string[]) => string,
  ): IMetric => {
    const usingMetrics = Object.fromEntries(
      ids.map((CacheClusterId, index) => [
        `${group.idPrefix}${metricName}${shard}n${index + 1}`,
        new Metric({
          namespace: 'AWS/ElastiCache',
          metricName,
          dimensionsMap: { CacheClusterId },
          statistic,
          period: PERIOD,
          label: `${label}${place}, node ${index + 1}`,
        }),
      ]),
    );
    const [only] = Object.values(usingMetrics);
    // Of one metric, an array is no time series to alarm on.
    if (only !== undefined && ids.length === 1) return only;
    return new MathExpression({
      label: `${label}${place}`,
      expression: expression(Object.keys(usingMetrics)),
      usingMetrics,
      period: PERIOD,
    });
  };
  const worst = (nodes: readonly string[]) => `MAX([${nodes.join(', ')}])`;
  const total = (nodes: readonly string[]) => `SUM([${nodes.join(', ')}])`;
  const changed = (nodes: readonly string[]) =>
    `MAX([${nodes.map((node) => `ABS(DIFF(${node}))`).join(', ')}])`;
  return {
    shard: group.shards > 1 ? shard : undefined,
    cpu: combined('EngineCPUUtilization', Stats.AVERAGE, 'Engine CPU', worst),
    memory: combined('DatabaseMemoryUsagePercentage', Stats.AVERAGE, 'Memory', worst),
    evictions: combined('Evictions', Stats.SUM, 'Evictions', worst),
    hits: combined('CacheHits', Stats.SUM, 'Found', total),
    misses: combined('CacheMisses', Stats.SUM, 'Not found', total),
    replicationLag: combined('ReplicationLag', Stats.MAXIMUM, 'Replication lag', worst),
    // ElastiCache tells the event bus nothing of failovers of such a group; who is the primary it does say.
    failovers: combined('IsMaster', Stats.MAXIMUM, 'Primary changed', changed),
  };
}

export interface CacheAlarmsProps {
  readonly operations: Operations;
  readonly shards: readonly ShardMetrics[];
  /** What the group keeps: `cache` may be evicted, `sessions` may not. */
  readonly keeps: keyof CacheMetrics;
}

/** Watches one replication group, shard by shard: CloudWatch takes ten metrics in an alarm, and a shard has at most six nodes. */
export function addCacheAlarms(scope: Construct, props: CacheAlarmsProps): void {
  for (const metrics of props.shards) {
    const shard = metrics.shard === undefined ? '' : `Shard${metrics.shard}-`;
    const group = props.keeps === 'sessions' ? 'Sessions' : '';
    addShardAlarms(scope, `${shard}${group}`, metrics, props);
  }
}

function addShardAlarms(
  scope: Construct,
  prefix: string,
  metrics: ShardMetrics,
  { operations, keeps }: CacheAlarmsProps,
): void {
  const { alarms, size } = operations.stage;
  const of = keeps === 'sessions' ? 'node that keeps sessions' : 'cache node';
  const ticket = { operations, severity: 'ticket' } as const;
  new OperationalAlarm(scope, `${prefix}Cpu`, {
    ...ticket,
    meaning: `The core that runs the commands of a ${of} has been above ${alarms.cpuPercent} % for 10 minutes.`,
    metric: metrics.cpu,
    threshold: alarms.cpuPercent,
    periods: 10,
  });
  const full = keeps === 'sessions' ? 'will soon take no new ones' : 'will soon evict';
  new OperationalAlarm(scope, `${prefix}Memory`, {
    operations,
    // A full cache makes room by itself. Nothing makes room for sessions, and when there is none, nobody can log in.
    severity: keeps === 'sessions' ? 'page' : 'ticket',
    meaning: `A ${of} has used more than ${alarms.cacheMemoryPercent} % of its memory for 10 minutes and ${full}.`,
    metric: metrics.memory,
    threshold: alarms.cacheMemoryPercent,
    periods: 10,
  });
  if (keeps === 'cache') {
    new OperationalAlarm(scope, `${prefix}Evictions`, {
      ...ticket,
      meaning: `A ${of} has let entries go for ${EVICTION_MINUTES} minutes to make room; its memory is for all of them.`,
      metric: metrics.evictions,
      threshold: 0,
      periods: EVICTION_MINUTES,
    });
  }
  if (size.cache.replicas === 0) return;
  new OperationalAlarm(scope, `${prefix}ReplicationLag`, {
    ...ticket,
    meaning: `A replica of a ${of} has been more than ${REPLICATION_LAG_SECONDS} s behind for 5 minutes.`,
    metric: metrics.replicationLag,
    threshold: REPLICATION_LAG_SECONDS,
    periods: 5,
  });
  new OperationalAlarm(scope, `${prefix}Failover`, {
    ...ticket,
    meaning: `Another ${of} has become the primary.`,
    metric: metrics.failovers,
    threshold: 0,
    // A change is between two minutes, so CloudWatch has to look at more than one.
    periods: 3,
    datapoints: 1,
  });
}
