import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import type { Operations } from './operations.ts';
import { addPostgresAlarms, type PostgresMetrics, postgresMetrics } from './postgres-monitoring.ts';
import { grantSecretRead } from './secret-grant.ts';

/** The engine's major version is that of the PostgreSQL which `npm start` and the tests run. */
const engine = rds.DatabaseClusterEngine.auroraPostgres({
  version: rds.AuroraPostgresEngineVersion.VER_18_6,
});
const PORT = 5432;
const DATABASE_NAME = 'headroom';
/** Owns the tables; only migrations log in as it. */
const OWNER = 'headroom_owner';
/** Statements that take longer are logged, in milliseconds. */
const SLOW_STATEMENT_MILLISECONDS = 500;

export interface PostgresClusterProps {
  readonly operations: Operations;
  readonly vpc: ec2.IVpc;
  /** Encrypts the data, its backups and the owner's password. */
  readonly dataKey: kms.IKey;
}

/**
 * Aurora PostgreSQL: a writer, readers, and a failover between them. Programs log in with IAM tokens over verified TLS; the
 * owner's password is RDS's own secret, which RDS rotates every 7 days.
 */
export class PostgresCluster extends Construct {
  /** ARN of the secret with the owner's user name and password. */
  readonly ownerSecretArn: string;
  readonly metrics: PostgresMetrics;
  private readonly cluster: rds.DatabaseCluster;
  private readonly dataKey: kms.IKey;
  private readonly readers: number;

  constructor(scope: Construct, id: string, props: PostgresClusterProps) {
    super(scope, id);
    const { stage } = props.operations;
    const { database } = stage.size;
    const clusterIdentifier = `headroom-${stage.name}`;
    // RDS would make this log group itself, unencrypted and kept for ever; so it has to be there first.
    const logGroup = new EncryptedLogGroup(this, 'LogGroup', {
      operations: props.operations,
      logGroupName: `/aws/rds/cluster/${clusterIdentifier}/postgresql`,
    });
    this.readers = database.readers;
    this.cluster = new rds.DatabaseCluster(this, 'Cluster', {
      engine,
      clusterIdentifier,
      vpc: props.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      securityGroups: [
        new ec2.SecurityGroup(this, 'SecurityGroup', {
          vpc: props.vpc,
          description: 'Aurora: takes connections, makes none',
          allowAllOutbound: false,
        }),
      ],
      port: PORT,
      defaultDatabaseName: DATABASE_NAME,
      credentials: rds.Credentials.fromUsername(OWNER, { encryptionKey: props.dataKey }),
      manageMasterUserPassword: true,
      iamAuthentication: true,
      writer: this.instance('Writer', props),
      readers: Array.from({ length: database.readers }, (_, index) =>
        // The first reader is as large as the writer at all times, so that it can take over at once.
        this.instance(`Reader${index + 1}`, props, { scaleWithWriter: index === 0 }),
      ),
      serverlessV2MinCapacity: database.minimumCapacityUnits,
      serverlessV2MaxCapacity: database.maximumCapacityUnits,
      storageEncrypted: true,
      storageEncryptionKey: props.dataKey,
      backup: { retention: Duration.days(database.backupRetentionDays) },
      copyTagsToSnapshot: true,
      deletionProtection: stage.protection === 'protected',
      removalPolicy: RemovalPolicy.SNAPSHOT,
      autoMinorVersionUpgrade: true,
      engineLifecycleSupport: rds.EngineLifecycleSupport.OPEN_SOURCE_RDS_EXTENDED_SUPPORT_DISABLED,
      cloudwatchLogsExports: ['postgresql'],
      databaseInsightsMode: rds.DatabaseInsightsMode.STANDARD,
      enablePerformanceInsights: true,
      performanceInsightEncryptionKey: props.dataKey,
      parameters: {
        'rds.force_ssl': '1',
        log_min_duration_statement: String(SLOW_STATEMENT_MILLISECONDS),
      },
    });
    this.cluster.node.addDependency(logGroup);
    const { secret } = this.cluster;
    if (secret === undefined) throw new Error('RDS manages a secret, but the cluster names none.');
    this.ownerSecretArn = secret.secretArn;
    this.dataKey = props.dataKey;
    this.metrics = postgresMetrics(this.cluster.clusterIdentifier);
    addPostgresAlarms(this, { operations: props.operations, metrics: this.metrics });
  }

  /** URL of the writer for `user`, who logs in with a token; without a user, for whoever has the secret. */
  writerUrl(user?: string): string {
    return this.url(this.cluster.clusterEndpoint, user);
  }

  /** URL of the endpoint that spreads connections over the readers, or undefined where there are none. */
  readerUrl(user: string): string | undefined {
    return this.readers === 0 ? undefined : this.url(this.cluster.clusterReadEndpoint, user);
  }

  /** Lets `grantee` log in as the role `user`, and reach the database from `workload`. */
  grantLogin(grantee: iam.IGrantable, workload: ec2.IConnectable, user: string): void {
    this.cluster.grantConnect(grantee, user);
    this.allowConnections(workload);
  }

  /** Lets `grantee` read the owner's password, and so log in as the owner, and reach the database from `workload`. */
  grantOwnerLogin(grantee: iam.IGrantable, workload: ec2.IConnectable): void {
    grantSecretRead(grantee, this.ownerSecretArn, this.dataKey);
    this.allowConnections(workload);
  }

  private allowConnections(workload: ec2.IConnectable): void {
    workload.connections.allowTo(this.cluster, ec2.Port.tcp(PORT), 'PostgreSQL');
  }

  private url(endpoint: rds.Endpoint, user?: string): string {
    const login = user === undefined ? '' : `${user}@`;
    return `postgres://${login}${endpoint.hostname}:${PORT}/${DATABASE_NAME}`;
  }

  private instance(
    id: string,
    props: PostgresClusterProps,
    options: { readonly scaleWithWriter?: boolean } = {},
  ): rds.IClusterInstance {
    return rds.ClusterInstance.serverlessV2(id, {
      ...options,
      publiclyAccessible: false,
      enablePerformanceInsights: true,
      performanceInsightEncryptionKey: props.dataKey,
    });
  }
}
