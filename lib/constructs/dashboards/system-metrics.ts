import type { StageConfiguration } from '../../config/stage.ts';
import type { CacheMetrics } from '../cache/cache-monitoring.ts';
import type { PostgresMetrics } from '../database/postgres-monitoring.ts';
import type { EdgeMetrics } from '../edge/edge-monitoring.ts';
import type { LoadBalancerMetrics } from '../load-balancer/load-balancer-monitoring.ts';
import type { ServiceMetrics } from '../service/container-service-monitoring.ts';
import type { QueueWorkerMetrics } from '../workers/queue-worker-monitoring.ts';

/** The metrics of every part of a stage. */
export interface SystemMetrics {
  readonly stage: StageConfiguration;
  readonly edge: EdgeMetrics;
  readonly loadBalancer: LoadBalancerMetrics;
  /** By name of the service. */
  readonly services: Readonly<Record<string, ServiceMetrics>>;
  readonly database: PostgresMetrics;
  readonly cache: CacheMetrics;
  /** By name of the worker. */
  readonly workers: Readonly<Record<string, QueueWorkerMetrics>>;
}
