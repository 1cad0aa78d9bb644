import { RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { StageSize } from '../config/stage.ts';
import { addCacheAlarms, type CacheMetrics, cacheMetrics } from './cache-monitoring.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import type { Operations } from './operations.ts';
import { grantSecretRead } from './secret-grant.ts';

const PORT = 6379;
const USER = 'headroom_api';
/** ElastiCache takes passwords of 16 to 128 characters. */
const PASSWORD_LENGTH = 64;
/** Everything but what can stop or spy on the server; `info` is what clients ask to see whether it is ready. */
const ACCESS = 'on ~* &* +@all -@admin -@dangerous +info';
/** Nobody logs in as it, but a Redis user group must have it. */
const NO_ACCESS = 'off ~* -@all';

interface Engine {
  readonly version: string;
  readonly parameterGroupFamily: string;
}

const engines: Readonly<Record<StageSize['cache']['engine'], Engine>> = {
  valkey: { version: '8.0', parameterGroupFamily: 'valkey8' },
  redis: { version: '7.1', parameterGroupFamily: 'redis7' },
};

export interface CacheClusterProps {
  readonly operations: Operations;
  readonly vpc: ec2.IVpc;
  /** Encrypts the data, its snapshots and the password. */
  readonly dataKey: kms.IKey;
}

/**
 * ElastiCache (Valkey or Redis) with a primary and replicas, over TLS only, with a user of its own. There is no L2 construct
 * for replication groups; this one is over `CfnReplicationGroup`.
 */
export class CacheCluster extends Construct {
  /** Where it is; the user and password come from {@link secrets}. */
  readonly url: string;
  readonly metrics: CacheMetrics;
  private readonly credentials: secretsmanager.Secret;
  private readonly dataKey: kms.IKey;
  private readonly connections: ec2.Connections;

  constructor(scope: Construct, id: string, props: CacheClusterProps) {
    super(scope, id);
    const { stage } = props.operations;
    const { cache } = stage.size;
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: props.vpc,
      description: 'ElastiCache: takes connections, makes none',
      allowAllOutbound: false,
    });
    this.connections = new ec2.Connections({
      securityGroups: [securityGroup],
      defaultPort: ec2.Port.tcp(PORT),
    });
    this.dataKey = props.dataKey;
    this.credentials = new secretsmanager.Secret(this, 'Credentials', {
      description: `User of the cache of stage ${stage.name}.`,
      encryptionKey: props.dataKey,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: USER }),
        generateStringKey: 'password',
        passwordLength: PASSWORD_LENGTH,
        excludePunctuation: true,
      },
    });
    const subnets = new elasticache.CfnSubnetGroup(this, 'SubnetGroup', {
      description: 'Isolated subnets',
      subnetIds: props.vpc.selectSubnets({ subnetType: ec2.SubnetType.PRIVATE_ISOLATED }).subnetIds,
    });
    const replicated = cache.replicas > 0;
    const group = new elasticache.CfnReplicationGroup(this, 'ReplicationGroup', {
      replicationGroupDescription: `Cache of stage ${stage.name}`,
      engine: cache.engine,
      engineVersion: engines[cache.engine].version,
      cacheParameterGroupName: this.createParameterGroup(cache.engine).ref,
      cacheNodeType: cache.nodeType,
      numNodeGroups: 1,
      replicasPerNodeGroup: cache.replicas,
      automaticFailoverEnabled: replicated,
      multiAzEnabled: replicated,
      port: PORT,
      cacheSubnetGroupName: subnets.ref,
      securityGroupIds: [securityGroup.securityGroupId],
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      atRestEncryptionEnabled: true,
      kmsKeyId: props.dataKey.keyArn,
      userGroupIds: [this.createUserGroup(stage.name, cache.engine).ref],
      snapshotRetentionLimit: cache.snapshotRetentionDays,
      autoMinorVersionUpgrade: true,
      logDeliveryConfigurations: [
        {
          logType: 'slow-log',
          logFormat: 'json',
          destinationType: 'cloudwatch-logs',
          destinationDetails: {
            cloudWatchLogsDetails: {
              logGroup: new EncryptedLogGroup(this, 'SlowLog', props).logGroupName,
            },
          },
        },
      ],
    });
    group.applyRemovalPolicy(RemovalPolicy.SNAPSHOT);
    this.url = `rediss://${group.attrPrimaryEndPointAddress}:${PORT}`;
    this.metrics = cacheMetrics(group.ref, 1 + cache.replicas);
    addCacheAlarms(this, { operations: props.operations, metrics: this.metrics });
  }

  /** Lets `grantee` read user name and password, and `workload` reach the cache. */
  grantLogin(grantee: iam.IGrantable, workload: ec2.IConnectable): void {
    grantSecretRead(grantee, this.credentials.secretArn, this.dataKey);
    workload.connections.allowTo({ connections: this.connections }, ec2.Port.tcp(PORT), 'Cache');
  }

  /** User name and password, as secrets of a container in `scope`. */
  containerSecrets(scope: Construct): Record<'REDIS_USERNAME' | 'REDIS_PASSWORD', ecs.Secret> {
    // By its ARN, so that only grantLogin grants anything: see grantSecretRead.
    const credentials = secretsmanager.Secret.fromSecretCompleteArn(
      scope,
      'CacheCredentials',
      this.credentials.secretArn,
    );
    return {
      REDIS_USERNAME: ecs.Secret.fromSecretsManager(credentials, 'username'),
      REDIS_PASSWORD: ecs.Secret.fromSecretsManager(credentials, 'password'),
    };
  }

  private createParameterGroup(
    engine: StageSize['cache']['engine'],
  ): elasticache.CfnParameterGroup {
    return new elasticache.CfnParameterGroup(this, 'ParameterGroup', {
      cacheParameterGroupFamily: engines[engine].parameterGroupFamily,
      description: 'Evicts only what expires anyway, least recently used first',
      // Everything kept here has a time to live; what has none is not a cache entry and must not vanish.
      properties: { 'maxmemory-policy': 'volatile-lru' },
    });
  }

  private createUserGroup(
    stageName: string,
    engine: StageSize['cache']['engine'],
  ): elasticache.CfnUserGroup {
    const password = this.credentials.secretValueFromJson('password').unsafeUnwrap();
    const user = new elasticache.CfnUser(this, 'User', {
      engine,
      userId: `headroom-${stageName}-api`,
      userName: USER,
      accessString: ACCESS,
      authenticationMode: { Type: 'password', Passwords: [password] },
    });
    const users = [user.ref];
    if (engine === 'redis') {
      const disabled = new elasticache.CfnUser(this, 'DefaultUser', {
        engine,
        userId: `headroom-${stageName}-default`,
        userName: 'default',
        accessString: NO_ACCESS,
        authenticationMode: { Type: 'no-password-required' },
      });
      users.push(disabled.ref);
    }
    return new elasticache.CfnUserGroup(this, 'UserGroup', {
      engine,
      userGroupId: `headroom-${stageName}`,
      userIds: users,
    });
  }
}
