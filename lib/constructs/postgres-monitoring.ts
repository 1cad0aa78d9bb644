import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricProps, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { OperationalAlarm } from './operational-alarm.ts';
import type { Operations } from './operations.ts';

const PERIOD = Duration.minutes(1);
/** Share of `max_connections` above which something leaks or scales past its budget, in percent. */
const CONNECTIONS_PERCENT = 80;
/** Replica lag above which reads fall back to the writer often enough to be felt, in milliseconds. Aurora's is usually below 100. */
const REPLICA_LAG_MILLISECONDS = 1_000;
/** Share of the largest capacity above which the cluster is about to stop growing, in percent. */
const CAPACITY_PERCENT = 90;

/** What a dashboard shows of the database. Roles, not instances, are watched: a failover swaps the instances. */
export interface PostgresMetrics {
  /** Percent. */
  readonly writerCpu: Metric;
  /** Percent. */
  readonly readerCpu: Metric;
  /** Count. */
  readonly writerConnections: Metric;
  /** Count. */
  readonly readerConnections: Metric;
  /** Milliseconds. */
  readonly replicaLag: Metric;
  /** Percent of the largest capacity. */
  readonly capacity: Metric;
}

export function postgresMetrics(clusterIdentifier: string): PostgresMetrics {
  const metric = (
    metricName: string,
    role: 'WRITER' | 'READER',
    options: Pick<MetricProps, 'statistic' | 'label'>,
  ) =>
    new Metric({
      namespace: 'AWS/RDS',
      metricName,
      dimensionsMap: { DBClusterIdentifier: clusterIdentifier, Role: role },
      period: PERIOD,
      ...options,
    });
  return {
    writerCpu: metric('CPUUtilization', 'WRITER', { statistic: Stats.AVERAGE, label: 'Writer' }),
    readerCpu: metric('CPUUtilization', 'READER', { statistic: Stats.AVERAGE, label: 'Readers' }),
    writerConnections: metric('DatabaseConnections', 'WRITER', {
      statistic: Stats.MAXIMUM,
      label: 'Writer',
    }),
    readerConnections: metric('DatabaseConnections', 'READER', {
      statistic: Stats.MAXIMUM,
      label: 'Busiest reader',
    }),
    replicaLag: metric('AuroraReplicaLag', 'READER', {
      statistic: Stats.MAXIMUM,
      label: 'Slowest reader, ms',
    }),
    capacity: metric('ACUUtilization', 'WRITER', { statistic: Stats.AVERAGE, label: 'Writer' }),
  };
}

export function addPostgresAlarms(
  scope: Construct,
  props: { readonly operations: Operations; readonly metrics: PostgresMetrics },
): void {
  const { operations, metrics } = props;
  const { size, alarms } = operations.stage;
  const connections = size.database.maximumConnections;
  const cpu = {
    operations,
    severity: 'ticket',
    threshold: alarms.cpuPercent,
    periods: 10,
  } as const;
  new OperationalAlarm(scope, 'WriterCpu', {
    ...cpu,
    meaning: `The database writer's CPU has been above ${alarms.cpuPercent} % for 10 minutes.`,
    metric: metrics.writerCpu,
  });
  new OperationalAlarm(scope, 'Capacity', {
    operations,
    severity: 'ticket',
    meaning: `The database writer has been above ${CAPACITY_PERCENT} % of its largest capacity for 10 minutes and cannot grow much further.`,
    metric: metrics.capacity,
    threshold: CAPACITY_PERCENT,
    periods: 10,
  });
  new OperationalAlarm(scope, 'WriterConnections', {
    operations,
    severity: 'page',
    meaning: `More than ${CONNECTIONS_PERCENT} % of the writer's ${connections} connections have been in use for 5 minutes; beyond them, programs cannot connect.`,
    metric: metrics.writerConnections,
    threshold: alarms.databaseConnections,
    periods: 5,
  });
  if (size.database.readers === 0) return;
  new OperationalAlarm(scope, 'ReaderCpu', {
    ...cpu,
    meaning: `The database readers' CPU has been above ${alarms.cpuPercent} % for 10 minutes.`,
    metric: metrics.readerCpu,
  });
  new OperationalAlarm(scope, 'ReplicaLag', {
    operations,
    severity: 'ticket',
    meaning: `A database reader has been more than ${REPLICA_LAG_MILLISECONDS} ms behind for 5 minutes; reads that must not be stale go to the writer.`,
    metric: metrics.replicaLag,
    threshold: REPLICA_LAG_MILLISECONDS,
    periods: 5,
  });
}
