import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricProps, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { addEventAlarm } from '../operations/event-alarm.ts';
import { OperationalAlarm } from '../operations/operational-alarm.ts';
import type { Operations } from '../operations/operations.ts';

const PERIOD = Duration.minutes(1);
/** Share of the largest capacity above which the cluster is about to stop growing, in percent. */
const CAPACITY_PERCENT = 90;
/** A deadlock now and then is retried; in this many of a quarter of an hour's minutes, two statements keep meeting. */
const DEADLOCK_MINUTES = 5;
/** Half of the 2^31 ids after which PostgreSQL stops taking writes; autovacuum should have acted at a fifth of this. */
const TRANSACTION_IDS = 1_000_000_000;
/** Free space for sorting and temporary tables below which big queries soon fail, in bytes. */
const LOCAL_STORAGE_BYTES = 4 * 1_024 ** 3;

/** For people: CloudWatch counts in bytes. */
const gibibytes = (bytes: number): string => `${Number((bytes / 1_024 ** 3).toFixed(1))} GiB`;

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
  /** Percent of the largest capacity. Only for serverless. */
  readonly capacity: Metric;
  /** Aurora capacity units, which a serverless cluster is paid by. */
  readonly capacityUnits: Metric;
  /** Bytes. */
  readonly writerMemory: Metric;
  /** Bytes, of the reader that has the least. */
  readonly readerMemory: Metric;
  /** Bytes on instances that have disks of their own. Only for provisioned. */
  readonly localStorage: Metric;
  /** Bytes of data. */
  readonly storage: Metric;
  /** Per second. */
  readonly deadlocks: Metric;
  /** Age of the oldest transaction id that vacuum has not yet made free. */
  readonly transactionIds: Metric;
  /** Transactions per second. */
  readonly commits: Metric;
  /** Milliseconds. */
  readonly commitLatency: Metric;
}

export function postgresMetrics(clusterIdentifier: string): PostgresMetrics {
  const metric = (
    metricName: string,
    role: 'WRITER' | 'READER' | undefined,
    options: Pick<MetricProps, 'statistic' | 'label' | 'period'>,
  ) =>
    new Metric({
      namespace: 'AWS/RDS',
      metricName,
      dimensionsMap: {
        DBClusterIdentifier: clusterIdentifier,
        ...(role === undefined ? {} : { Role: role }),
      },
      period: PERIOD,
      ...options,
    });
  const writer = (metricName: string, statistic: string, label = 'Writer') =>
    metric(metricName, 'WRITER', { statistic, label });
  const readers = (metricName: string, statistic: string, label: string) =>
    metric(metricName, 'READER', { statistic, label });
  return {
    writerCpu: writer('CPUUtilization', Stats.AVERAGE),
    readerCpu: readers('CPUUtilization', Stats.AVERAGE, 'Readers'),
    writerConnections: writer('DatabaseConnections', Stats.MAXIMUM),
    readerConnections: readers('DatabaseConnections', Stats.MAXIMUM, 'Busiest reader'),
    replicaLag: readers('AuroraReplicaLag', Stats.MAXIMUM, 'Slowest reader, ms'),
    capacity: writer('ACUUtilization', Stats.AVERAGE),
    capacityUnits: metric('ServerlessDatabaseCapacity', undefined, {
      statistic: Stats.AVERAGE,
      label: 'Mean of the instances',
    }),
    writerMemory: writer('FreeableMemory', Stats.MINIMUM),
    readerMemory: readers('FreeableMemory', Stats.MINIMUM, 'Reader with the least'),
    localStorage: metric('FreeLocalStorage', undefined, {
      statistic: Stats.MINIMUM,
      label: 'Instance with the least',
    }),
    // Counted some times an hour.
    storage: metric('VolumeBytesUsed', undefined, {
      statistic: Stats.MAXIMUM,
      label: 'Data',
      period: Duration.hours(1),
    }),
    deadlocks: writer('Deadlocks', Stats.AVERAGE, 'Deadlocks'),
    transactionIds: writer('MaximumUsedTransactionIDs', Stats.MAXIMUM, 'Transaction ids'),
    commits: writer('CommitThroughput', Stats.AVERAGE, 'Commits'),
    commitLatency: writer('CommitLatency', Stats.AVERAGE, 'Commit, ms'),
  };
}

interface PostgresAlarmsProps {
  readonly operations: Operations;
  readonly metrics: PostgresMetrics;
}

export function addPostgresAlarms(scope: Construct, props: PostgresAlarmsProps): void {
  const { operations, metrics } = props;
  const { size } = operations.stage;
  addWriterAlarms(scope, props);
  addStorageAlarms(scope, props);
  if (size.database.readers > 0) addReaderAlarms(scope, props);
  const clusterIdentifier = metrics.storage.dimensions?.DBClusterIdentifier;
  addEventAlarm(scope, 'Failover', {
    operations,
    severity: 'ticket',
    meaning: 'The database has failed over to another instance, or has tried to.',
    description: 'Failovers of the database',
    pattern: {
      source: ['aws.rds'],
      detailType: ['RDS DB Cluster Event'],
      detail: { EventCategories: ['failover'], SourceIdentifier: [clusterIdentifier] },
    },
  });
}

function addWriterAlarms(scope: Construct, { operations, metrics }: PostgresAlarmsProps): void {
  const { size, alarms } = operations.stage;
  const ticket = { operations, severity: 'ticket', periods: 10 } as const;
  new OperationalAlarm(scope, 'WriterCpu', {
    ...ticket,
    meaning: `The database writer's CPU has been above ${alarms.cpuPercent} % for 10 minutes.`,
    metric: metrics.writerCpu,
    threshold: alarms.cpuPercent,
  });
  if (size.database.mode === 'serverless') {
    new OperationalAlarm(scope, 'Capacity', {
      ...ticket,
      meaning: `The database writer has been above ${CAPACITY_PERCENT} % of its largest capacity for 10 minutes and cannot grow much further.`,
      metric: metrics.capacity,
      threshold: CAPACITY_PERCENT,
    });
  }
  new OperationalAlarm(scope, 'WriterConnections', {
    operations,
    severity: 'page',
    meaning: `More than ${alarms.databaseConnections} of the writer's ${size.database.maximumConnections} connections have been in use for 5 minutes; beyond them, programs cannot connect.`,
    metric: metrics.writerConnections,
    threshold: alarms.databaseConnections,
    periods: 5,
  });
  new OperationalAlarm(scope, 'WriterMemory', {
    ...ticket,
    meaning: `The database writer has had less than ${gibibytes(alarms.databaseFreeMemoryBytes)} of free memory for 10 minutes.`,
    metric: metrics.writerMemory,
    threshold: alarms.databaseFreeMemoryBytes,
    goesOff: 'below',
  });
  new OperationalAlarm(scope, 'Deadlocks', {
    ...ticket,
    meaning: `Transactions have deadlocked in ${DEADLOCK_MINUTES} of 15 minutes.`,
    metric: metrics.deadlocks,
    threshold: 0,
    periods: 15,
    datapoints: DEADLOCK_MINUTES,
  });
}

function addReaderAlarms(scope: Construct, { operations, metrics }: PostgresAlarmsProps): void {
  const { size, alarms } = operations.stage;
  const ticket = { operations, severity: 'ticket', periods: 10 } as const;
  new OperationalAlarm(scope, 'ReaderCpu', {
    ...ticket,
    meaning: `The database readers' CPU has been above ${alarms.cpuPercent} % for 10 minutes.`,
    metric: metrics.readerCpu,
    threshold: alarms.cpuPercent,
  });
  new OperationalAlarm(scope, 'ReaderConnections', {
    ...ticket,
    meaning: `More than ${alarms.databaseConnections} of a reader's ${size.database.maximumConnections} connections have been in use for 5 minutes; beyond them, reads go to the writer.`,
    metric: metrics.readerConnections,
    threshold: alarms.databaseConnections,
    periods: 5,
  });
  new OperationalAlarm(scope, 'ReaderMemory', {
    ...ticket,
    meaning: `A database reader has had less than ${gibibytes(alarms.databaseFreeMemoryBytes)} of free memory for 10 minutes.`,
    metric: metrics.readerMemory,
    threshold: alarms.databaseFreeMemoryBytes,
    goesOff: 'below',
  });
  new OperationalAlarm(scope, 'ReplicaLag', {
    ...ticket,
    meaning: `A database reader has been more than ${alarms.replicaLagMilliseconds} ms behind for 5 minutes; reads that must not be stale go to the writer.`,
    metric: metrics.replicaLag,
    threshold: alarms.replicaLagMilliseconds,
    periods: 5,
  });
}

function addStorageAlarms(scope: Construct, { operations, metrics }: PostgresAlarmsProps): void {
  const { size, alarms } = operations.stage;
  const ticket = { operations, severity: 'ticket' } as const;
  new OperationalAlarm(scope, 'Storage', {
    ...ticket,
    meaning: `The database holds more than ${gibibytes(alarms.databaseStorageBytes)}, which is more than the stage was planned for.`,
    metric: metrics.storage,
    threshold: alarms.databaseStorageBytes,
    periods: 1,
    missingData: 'ignore',
  });
  new OperationalAlarm(scope, 'TransactionIds', {
    ...ticket,
    meaning: `More than ${TRANSACTION_IDS.toLocaleString('en-US')} transaction ids wait for vacuum; with 2 billion PostgreSQL takes no more writes.`,
    metric: metrics.transactionIds,
    threshold: TRANSACTION_IDS,
    periods: 10,
  });
  if (size.database.mode === 'serverless') return;
  new OperationalAlarm(scope, 'LocalStorage', {
    ...ticket,
    meaning: `A database instance has had less than ${gibibytes(LOCAL_STORAGE_BYTES)} for temporary files for 10 minutes.`,
    metric: metrics.localStorage,
    threshold: LOCAL_STORAGE_BYTES,
    goesOff: 'below',
    periods: 10,
  });
}
