import { RemovalPolicy } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { StageSize } from '../../config/stage.ts';
import type { Operations } from '../operations/operations.ts';
import { EncryptedLogGroup } from '../shared/encrypted-log-group.ts';

export type CacheEngine = StageSize['cache']['engine'];

/** Not the default port, which is the first that scanners of a network try. */
export const REDIS_PORT = 6380;
/** Daily snapshots are made, and nodes are patched, when the fewest are awake in Europe and America, in UTC. */
const SNAPSHOT_WINDOW = '02:00-03:00';
const MAINTENANCE_WINDOW = 'sun:03:30-sun:04:30';

interface Engine {
  readonly version: string;
  readonly parameterGroupFamily: string;
}

const engines: Readonly<Record<CacheEngine, Engine>> = {
  valkey: { version: '8.0', parameterGroupFamily: 'valkey8' },
  redis: { version: '7.1', parameterGroupFamily: 'redis7' },
};

/**
 * What becomes of entries when the memory is full. `volatile-lru` lets go of what was used least recently of what expires anyway;
 * `noeviction` keeps everything and refuses writes.
 */
export type EvictionPolicy = 'volatile-lru' | 'noeviction';

export interface RedisReplicationGroupProps {
  readonly operations: Operations;
  readonly description: string;
  readonly evictionPolicy: EvictionPolicy;
  readonly nodeType: string;
  /** More than one needs cluster mode, which is on then and only then. */
  readonly shards: number;
  /** Replicas of each shard. With at least one, a lost primary is replaced automatically, from another zone. */
  readonly replicas: number;
  readonly snapshotRetentionDays: number;
  readonly subnetGroup: elasticache.CfnSubnetGroup;
  readonly securityGroup: ec2.ISecurityGroup;
  readonly userGroup: elasticache.CfnUserGroup;
  /** Encrypts the data and its snapshots. */
  readonly dataKey: kms.IKey;
}

/**
 * One replication group of ElastiCache: encrypted, over TLS only, for its users only. There is no L2 construct for it; this one
 * is over `CfnReplicationGroup`.
 */
export class RedisReplicationGroup extends elasticache.CfnReplicationGroup {
  /** Where it is; in cluster mode, where its nodes are found out. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: RedisReplicationGroupProps) {
    const { engine } = props.operations.stage.size.cache;
    const clusterMode = props.shards > 1;
    const replicated = props.replicas > 0;
    const parameterGroup = new elasticache.CfnParameterGroup(scope, `${id}Parameters`, {
      cacheParameterGroupFamily: engines[engine].parameterGroupFamily,
      description: `When memory is full: ${props.evictionPolicy}`,
      properties: {
        'maxmemory-policy': props.evictionPolicy,
        ...(clusterMode ? { 'cluster-enabled': 'yes' } : {}),
      },
    });
    super(scope, id, {
      replicationGroupDescription: props.description,
      engine,
      engineVersion: engines[engine].version,
      cacheParameterGroupName: parameterGroup.ref,
      cacheNodeType: props.nodeType,
      clusterMode: clusterMode ? 'enabled' : 'disabled',
      numNodeGroups: props.shards,
      replicasPerNodeGroup: props.replicas,
      // Cluster mode insists on failover, even where there is nothing to fail over to.
      automaticFailoverEnabled: replicated || clusterMode,
      multiAzEnabled: replicated,
      port: REDIS_PORT,
      cacheSubnetGroupName: props.subnetGroup.ref,
      securityGroupIds: [props.securityGroup.securityGroupId],
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      atRestEncryptionEnabled: true,
      kmsKeyId: props.dataKey.keyArn,
      userGroupIds: [props.userGroup.ref],
      snapshotRetentionLimit: props.snapshotRetentionDays,
      ...(props.snapshotRetentionDays === 0 ? {} : { snapshotWindow: SNAPSHOT_WINDOW }),
      preferredMaintenanceWindow: MAINTENANCE_WINDOW,
      autoMinorVersionUpgrade: true,
      logDeliveryConfigurations: [
        {
          logType: 'slow-log',
          logFormat: 'json',
          destinationType: 'cloudwatch-logs',
          destinationDetails: {
            cloudWatchLogsDetails: {
              logGroup: new EncryptedLogGroup(scope, `${id}SlowLog`, props).logGroupName,
            },
          },
        },
      ],
    });
    this.applyRemovalPolicy(RemovalPolicy.SNAPSHOT);
    const endpoint = clusterMode
      ? this.attrConfigurationEndPointAddress
      : this.attrPrimaryEndPointAddress;
    this.url = `rediss://${endpoint}:${REDIS_PORT}`;
  }
}
