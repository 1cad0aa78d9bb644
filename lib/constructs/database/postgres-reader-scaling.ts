import { Duration } from 'aws-cdk-lib';
import * as scaling from 'aws-cdk-lib/aws-applicationautoscaling';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';
import type { StageSize } from '../../config/stage.ts';
import { serviceLinkedScalingRole } from '../shared/service-linked-role.ts';

/** A reader is there some minutes after it is asked for; another within them would be for the same load. */
const OUT_COOLDOWN = Duration.minutes(5);
/** Connections find their way back slowly: a reader is taken away only after a quiet quarter of an hour. */
const IN_COOLDOWN = Duration.minutes(15);

export interface ReaderScalingProps {
  readonly cluster: rds.IDatabaseCluster;
  readonly database: StageSize['database'];
}

/**
 * Adds readers when those there are work too hard, and removes them again. There is no L2 construct for it
 * (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Integrating.AutoScaling.html). Aurora removes only readers
 * that it added, so those of the template stay; and it needs one to begin with, as it copies that one's class.
 */
export function scaleReaders(scope: Construct, { cluster, database }: ReaderScalingProps): void {
  if (database.readers === 0 || database.maximumReaders <= database.readers) return;
  const target = new scaling.ScalableTarget(scope, 'ReaderScaling', {
    serviceNamespace: scaling.ServiceNamespace.RDS,
    scalableDimension: 'rds:cluster:ReadReplicaCount',
    resourceId: `cluster:${cluster.clusterIdentifier}`,
    minCapacity: database.readers,
    maxCapacity: database.maximumReaders,
    role: serviceLinkedScalingRole(scope, 'rds', 'RDSCluster'),
  });
  target.node.addDependency(cluster);
  target.scaleToTrackMetric('Cpu', {
    predefinedMetric: scaling.PredefinedMetric.RDS_READER_AVERAGE_CPU_UTILIZATION,
    targetValue: database.readerCpuTargetPercent,
    scaleOutCooldown: OUT_COOLDOWN,
    scaleInCooldown: IN_COOLDOWN,
  });
}
