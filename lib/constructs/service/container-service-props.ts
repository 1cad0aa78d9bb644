import type * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type { ServiceDefinition } from '../../config/services.ts';
import type { StageSize } from '../../config/stage.ts';
import type { CacheCluster } from '../cache/cache-cluster.ts';
import type { PostgresCluster } from '../database/postgres-cluster.ts';
import type { PrivateLoadBalancer } from '../load-balancer/private-load-balancer.ts';
import type { Operations } from '../operations/operations.ts';
import type { QueueWorker } from '../workers/queue-worker.ts';

/** What a service of the system is made from, and its tasks and their environment. */
export interface ContainerServiceProps {
  readonly operations: Operations;
  readonly definition: ServiceDefinition;
  /** Its tasks: its share of those of the stage. */
  readonly size: StageSize['service'];
  readonly image: ecs.ContainerImage;
  readonly cluster: ecs.ICluster;
  readonly loadBalancer: PrivateLoadBalancer;
  readonly database: PostgresCluster;
  readonly cache: CacheCluster;
  /** Encrypts its secret. */
  readonly dataKey: kms.IKey;
  /** Workers that it sends messages to. */
  readonly workers: readonly QueueWorker[];
}
