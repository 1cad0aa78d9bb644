import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elasticache from 'aws-cdk-lib/aws-elasticache';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Operations } from '../operations/operations.ts';
import { removalPolicy } from '../shared/removal.ts';
import { grantSecretRead } from '../shared/secret-grant.ts';
import { addCacheAlarms, type CacheMetrics, replicationGroupMetrics } from './cache-monitoring.ts';
import { type CacheEngine, REDIS_PORT, RedisReplicationGroup } from './redis-replication-group.ts';

const USER = 'headroom_api';
/** ElastiCache takes passwords of 16 to 128 characters. */
const PASSWORD_LENGTH = 64;
/** Everything but what can stop or spy on the server; `info` is what clients ask to see whether it is ready. */
const ACCESS = 'on ~* &* +@all -@admin -@dangerous +info';
/** A client of a cluster asks where its slots are. */
export const CLUSTER_ACCESS = `${ACCESS} +cluster|slots +cluster|shards +cluster|nodes`;
/** Nobody logs in as it, but a Redis user group must have it. */
const NO_ACCESS = 'off ~* -@all';

export interface CacheClusterProps {
  readonly operations: Operations;
  readonly vpc: ec2.IVpc;
  /** Encrypts the data, its snapshots and the password. */
  readonly dataKey: kms.IKey;
}

/**
 * ElastiCache (Valkey or Redis), over TLS only, with a user of its own: one replication group for what can be read again, and one for
 * sessions. They are apart because eviction knows no difference: sessions expire as cache entries do, so every policy that makes
 * room by evicting would, in one group, log people out for the cache's sake. Sessions are few and bounded by user, so their group is
 * small, and refuses writes rather than forget.
 */
export class CacheCluster extends Construct {
  /** Where the cache is; the user and password come from {@link containerSecrets}. */
  readonly url: string;
  /** Where sessions are. */
  readonly sessionUrl: string;
  /** How clients talk to the cache: one server, or a cluster of shards. The sessions are one server. */
  readonly mode: 'single' | 'cluster';
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
      defaultPort: ec2.Port.tcp(REDIS_PORT),
    });
    this.dataKey = props.dataKey;
    this.credentials = this.createCredentials(props);
    this.mode = cache.shards > 1 ? 'cluster' : 'single';
    const shared = {
      ...props,
      replicas: cache.replicas,
      snapshotRetentionDays: cache.snapshotRetentionDays,
      securityGroup,
      subnetGroup: new elasticache.CfnSubnetGroup(this, 'SubnetGroup', {
        description: 'Isolated subnets',
        subnetIds: props.vpc.selectSubnets({ subnetType: ec2.SubnetType.PRIVATE_ISOLATED })
          .subnetIds,
      }),
      userGroup: this.createUserGroup(stage.name, cache.engine),
    };
    const group = new RedisReplicationGroup(this, 'ReplicationGroup', {
      ...shared,
      description: `Cache and rate limits of stage ${stage.name}`,
      evictionPolicy: 'volatile-lru',
      nodeType: cache.nodeType,
      shards: cache.shards,
    });
    const sessions = new RedisReplicationGroup(this, 'Sessions', {
      ...shared,
      description: `Sessions of stage ${stage.name}`,
      evictionPolicy: 'noeviction',
      nodeType: cache.sessionNodeType,
      shards: 1,
    });
    this.url = group.url;
    this.sessionUrl = sessions.url;
    this.metrics = {
      cache: replicationGroupMetrics({
        ...cache,
        replicationGroupId: group.ref,
        idPrefix: 'cache',
      }),
      sessions: replicationGroupMetrics({
        replicas: cache.replicas,
        shards: 1,
        replicationGroupId: sessions.ref,
        idPrefix: 'sessions',
      }),
    };
    const { operations } = props;
    addCacheAlarms(this, { operations, shards: this.metrics.cache, keeps: 'cache' });
    addCacheAlarms(this, { operations, shards: this.metrics.sessions, keeps: 'sessions' });
    for (const one of [group, sessions]) acknowledgeFindings(one, cache);
  }

  /** Lets `grantee` read user name and password, and `workload` reach the cache and the sessions. */
  grantLogin(grantee: iam.IGrantable, workload: ec2.IConnectable): void {
    grantSecretRead(grantee, this.credentials.secretArn, this.dataKey);
    workload.connections.allowTo(
      { connections: this.connections },
      ec2.Port.tcp(REDIS_PORT),
      'Cache',
    );
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

  private createCredentials({ operations, dataKey }: CacheClusterProps): secretsmanager.Secret {
    const credentials = new secretsmanager.Secret(this, 'Credentials', {
      description: `User of the cache of stage ${operations.stage.name}.`,
      encryptionKey: dataKey,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: USER }),
        generateStringKey: 'password',
        passwordLength: PASSWORD_LENGTH,
        excludePunctuation: true,
      },
      removalPolicy: removalPolicy(operations.stage),
    });
    const reason =
      'The password is part of the user that the template makes, so only a deployment can change both at once; docs/infrastructure.md says how.';
    Validations.of(credentials).acknowledge(
      { id: 'AwsSolutions-SMG4', reason },
      { id: 'NIST.800.53.R5-SecretsManagerRotationEnabled', reason },
    );
    return credentials;
  }

  private createUserGroup(stageName: string, engine: CacheEngine): elasticache.CfnUserGroup {
    const password = this.credentials.secretValueFromJson('password').unsafeUnwrap();
    const user = new elasticache.CfnUser(this, 'User', {
      engine,
      userId: `headroom-${stageName}-api`,
      userName: USER,
      accessString: this.mode === 'cluster' ? CLUSTER_ACCESS : ACCESS,
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

function acknowledgeFindings(
  group: RedisReplicationGroup,
  { replicas, snapshotRetentionDays }: Operations['stage']['size']['cache'],
): void {
  Validations.of(group).acknowledge({
    id: 'AwsSolutions-AEC6',
    reason:
      'Users log in by RBAC: user names, passwords and an access string each. AUTH is the one password for all that RBAC replaces.',
  });
  Validations.of(group).acknowledge({
    id: 'NIST.800.53.R5-ElastiCacheRedisClusterAutomaticBackup',
    reason: `The rule wants 15 days; the stage’s policy asks for ${snapshotRetentionDays}. The cache is filled again from the database, and sessions that old have mostly ended.`,
  });
  if (replicas === 0) {
    Validations.of(group).acknowledge({
      id: 'AwsSolutions-AEC4',
      reason: 'The stage’s availability asks for one node: a lost one is replaced, empty.',
    });
  }
}
