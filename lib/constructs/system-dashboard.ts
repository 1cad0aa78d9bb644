import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { StageConfiguration } from '../config/stage.ts';
import type { CacheMetrics } from './cache-monitoring.ts';
import type { ServiceMetrics } from './container-service-monitoring.ts';
import type { ContentDeliveryMetrics } from './content-delivery.ts';
import type { PostgresMetrics } from './postgres-monitoring.ts';
import type { QueueWorkerMetrics } from './queue-worker-monitoring.ts';

/** A dashboard is 24 columns wide. */
const THIRD = 8;
const FULL = 24;

export interface SystemDashboardProps {
  readonly stage: StageConfiguration;
  readonly edge: ContentDeliveryMetrics;
  /** By name of the service. */
  readonly services: Readonly<Record<string, ServiceMetrics>>;
  readonly database: PostgresMetrics;
  readonly cache: CacheMetrics;
  /** By name of the worker. */
  readonly workers: Readonly<Record<string, QueueWorkerMetrics>>;
}

interface Graph {
  readonly title: string;
  readonly metrics: readonly cloudwatch.IMetric[];
  readonly unit: string;
  /** Line to compare with. @default none */
  readonly limit?: number;
}

function graph({ title, metrics, unit, limit }: Graph): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({
    title,
    width: THIRD,
    left: [...metrics],
    leftYAxis: { min: 0, label: unit, showUnits: false },
    ...(limit === undefined ? {} : { leftAnnotations: [{ value: limit, label: 'alarm' }] }),
  });
}

function heading(markdown: string): cloudwatch.TextWidget {
  return new cloudwatch.TextWidget({
    width: FULL,
    height: 1,
    markdown,
    background: cloudwatch.TextWidgetBackground.TRANSPARENT,
  });
}

/** One look at the whole system: a row for each part, in the order in which a request meets them. */
export class SystemDashboard extends Construct {
  constructor(scope: Construct, id: string, props: SystemDashboardProps) {
    super(scope, id);
    const { stage, edge, database, cache } = props;
    const { alarms } = stage;
    const dashboard = new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: `headroom-${stage.name}`,
      defaultInterval: Duration.hours(3),
      periodOverride: cloudwatch.PeriodOverride.INHERIT,
    });
    dashboard.addWidgets(
      heading('## Edge: CloudFront'),
      graph({ title: 'Requests', metrics: [edge.requests], unit: 'per minute' }),
      graph({
        title: 'Answered 5xx',
        metrics: [edge.errorRate],
        unit: 'percent',
        limit: alarms.errorRatePercent,
      }),
    );
    for (const [name, metrics] of Object.entries(props.services)) {
      const { p50, p95, p99 } = metrics.latency;
      dashboard.addWidgets(
        heading(`## Service: ${name}. Latency is the load balancer's, in seconds.`),
        graph({ title: 'Requests', metrics: [metrics.requests], unit: 'per minute' }),
        graph({
          title: 'Answered 5xx',
          metrics: [metrics.errorRate],
          unit: 'percent',
          limit: alarms.errorRatePercent,
        }),
        graph({
          title: 'Latency',
          metrics: [p50, p95, p99],
          unit: 'seconds',
          limit: alarms.latencySeconds,
        }),
        graph({ title: 'CPU', metrics: [metrics.cpu], unit: 'percent', limit: alarms.cpuPercent }),
        graph({ title: 'Memory', metrics: [metrics.memory], unit: 'percent' }),
        graph({ title: 'Healthy tasks', metrics: [metrics.healthyTasks], unit: 'tasks' }),
      );
    }
    dashboard.addWidgets(
      heading('## Database: Aurora PostgreSQL'),
      graph({
        title: 'CPU',
        metrics: [database.writerCpu, database.readerCpu],
        unit: 'percent',
        limit: alarms.cpuPercent,
      }),
      graph({
        title: 'Connections',
        metrics: [database.writerConnections, database.readerConnections],
        unit: 'connections',
      }),
      graph({ title: 'Replica lag', metrics: [database.replicaLag], unit: 'milliseconds' }),
      heading('## Cache: ElastiCache. Of all nodes, the one that is worst off.'),
      graph({
        title: 'Engine CPU',
        metrics: [cache.cpu],
        unit: 'percent',
        limit: alarms.cpuPercent,
      }),
      graph({ title: 'Memory', metrics: [cache.memory], unit: 'percent' }),
      graph({ title: 'Evictions', metrics: [cache.evictions], unit: 'per minute' }),
    );
    for (const [name, metrics] of Object.entries(props.workers)) {
      dashboard.addWidgets(
        heading(`## Worker: ${name}`),
        graph({
          title: 'Age of the oldest message',
          metrics: [metrics.age],
          unit: 'seconds',
          limit: alarms.queueAgeSeconds,
        }),
        graph({
          title: 'Messages',
          metrics: [metrics.waiting, metrics.deadLetters],
          unit: 'messages',
        }),
        graph({
          title: 'Failed and refused invocations',
          metrics: [metrics.errors, metrics.throttles],
          unit: 'per minute',
        }),
      );
    }
  }
}
