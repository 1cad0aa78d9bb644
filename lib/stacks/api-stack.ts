import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { sizeOfService } from '../capacity/load/service-share.ts';
import type { ServiceDefinition } from '../config/services.ts';
import type { CacheCluster } from '../constructs/cache/cache-cluster.ts';
import type { PostgresCluster } from '../constructs/database/postgres-cluster.ts';
import type { LoadBalancerMetrics } from '../constructs/load-balancer/load-balancer-monitoring.ts';
import { PrivateLoadBalancer } from '../constructs/load-balancer/private-load-balancer.ts';
import type { Operations } from '../constructs/operations/operations.ts';
import { ContainerService } from '../constructs/service/container-service.ts';
import type { ServiceMetrics } from '../constructs/service/container-service-monitoring.ts';
import { serviceImage } from '../constructs/service/service-image.ts';
import type { QueueWorker } from '../constructs/workers/queue-worker.ts';
import { StageStack, type StageStackProps } from './stage-stack.ts';

export interface ApiStackProps extends StageStackProps {
  readonly operations: Operations;
  readonly vpc: ec2.IVpc;
  readonly database: PostgresCluster;
  readonly cache: CacheCluster;
  /** Encrypts the secrets of the services. */
  readonly dataKey: kms.IKey;
  readonly workers: readonly QueueWorker[];
  readonly definitions: readonly ServiceDefinition[];
  /** Images by name of the service. @default built from their Dockerfiles */
  readonly images?: Readonly<Record<string, string>>;
}

export class ApiStack extends StageStack {
  readonly vpcOrigin: cloudfront.IVpcOrigin;
  readonly loadBalancerMetrics: LoadBalancerMetrics;
  readonly serviceMetrics: Readonly<Record<string, ServiceMetrics>>;

  constructor(scope: Construct, props: ApiStackProps) {
    super(scope, props, { part: 'api', description: 'load balancer and services' });
    const loadBalancer = new PrivateLoadBalancer(this, 'Ingress', props);
    this.vpcOrigin = loadBalancer.vpcOrigin;
    this.loadBalancerMetrics = loadBalancer.metrics;
    const cluster = new ecs.Cluster(this, 'Cluster', {
      vpc: props.vpc,
      containerInsightsV2: ecs.ContainerInsights.ENABLED,
      enableFargateCapacityProviders: true,
    });
    this.serviceMetrics = Object.fromEntries(
      props.definitions.map((definition) => {
        const service = new ContainerService(this, `Service-${definition.name}`, {
          ...props,
          definition,
          size: sizeOfService(props.stage.size.service, definition),
          // aws-cdk-lib's classes don't fit its own interfaces under exactOptionalPropertyTypes.
          cluster: cluster as ecs.ICluster,
          loadBalancer,
          image: serviceImage(this, definition, props.images?.[definition.name]),
          workers: props.workers.filter((worker) =>
            definition.sendsTo.includes(worker.definition.name),
          ),
        });
        return [definition.name, service.metrics];
      }),
    );
  }
}
