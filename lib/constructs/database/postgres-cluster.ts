import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import type { Operations } from '../operations/operations.ts';
import { EncryptedLogGroup } from '../shared/encrypted-log-group.ts';
import { grantSecretRead } from '../shared/secret-grant.ts';
import { addPostgresAlarms, type PostgresMetrics, postgresMetrics } from './postgres-monitoring.ts';
import { scaleReaders } from './postgres-reader-scaling.ts';

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
/**
 * Keeps values of rows and parameters out of the log, and so out of CloudWatch. Errors are left out, because those of SQLSTATE class 22 quote
 * values in the message itself, and programs log them without: `log` is above ERROR and WARNING, below FATAL. Slow statements are LOG.
 */
const LOG_WITHOUT_VALUES = {
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  // No DETAIL, which quotes rows and keys, and no CONTEXT.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_min_messages: 'log',
};
/** Backups and maintenance are for the hours in which the fewest are awake in Europe and America, in UTC. */
const BACKUP_WINDOW = '02:00-03:00';
const MAINTENANCE_WINDOW = 'sun:03:30-sun:04:30';
/** How often the operating system of an instance is looked at (enhanced monitoring): seconds tell what a minute's mean hides. */
const MONITORING_INTERVAL = Duration.seconds(15);
/** Of 0 to 15; the lowest takes over first. */
const LAST_PROMOTION_TIER = 15;

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
      writer: this.instance('Writer', 0, props),
      readers: Array.from({ length: database.readers }, (_, index) =>
        this.instance(`Reader${index + 1}`, index + 1, props),
      ),
      ...(database.mode === 'serverless'
        ? {
            serverlessV2MinCapacity: database.minimumCapacityUnits,
            serverlessV2MaxCapacity: database.maximumCapacityUnits,
          }
        : {}),
      storageType: database.ioOptimized
        ? rds.DBClusterStorageType.AURORA_IOPT1
        : rds.DBClusterStorageType.AURORA,
      storageEncrypted: true,
      storageEncryptionKey: props.dataKey,
      backup: {
        retention: Duration.days(database.backupRetentionDays),
        preferredWindow: BACKUP_WINDOW,
      },
      preferredMaintenanceWindow: MAINTENANCE_WINDOW,
      copyTagsToSnapshot: true,
      deletionProtection: stage.protection === 'protected',
      removalPolicy: RemovalPolicy.SNAPSHOT,
      autoMinorVersionUpgrade: true,
      engineLifecycleSupport: rds.EngineLifecycleSupport.OPEN_SOURCE_RDS_EXTENDED_SUPPORT_DISABLED,
      cloudwatchLogsExports: ['postgresql'],
      ...insights(props),
      monitoringInterval: MONITORING_INTERVAL,
      parameters: {
        'rds.force_ssl': '1',
        log_min_duration_statement: String(SLOW_STATEMENT_MILLISECONDS),
        ...LOG_WITHOUT_VALUES,
      },
    });
    this.cluster.node.addDependency(logGroup);
    const { secret } = this.cluster;
    if (secret === undefined) throw new Error('RDS manages a secret, but the cluster names none.');
    this.ownerSecretArn = secret.secretArn;
    this.dataKey = props.dataKey;
    this.metrics = postgresMetrics(this.cluster.clusterIdentifier);
    addPostgresAlarms(this, { operations: props.operations, metrics: this.metrics });
    // aws-cdk-lib's classes don't fit its own interfaces under exactOptionalPropertyTypes.
    scaleReaders(this, { cluster: this.cluster as rds.IDatabaseCluster, database });
    this.acknowledgeFindings();
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

  /** @param position - 0 is the writer, those after it are readers: each is in the next zone, so that no zone has two before all have one. */
  private instance(
    id: string,
    position: number,
    props: PostgresClusterProps,
  ): rds.IClusterInstance {
    const { database } = props.operations.stage.size;
    const zones = Stack.of(this).availabilityZones;
    const zone = zones[position % zones.length];
    const options: rds.ClusterInstanceOptions = {
      publiclyAccessible: false,
      preferredMaintenanceWindow: MAINTENANCE_WINDOW,
      ...(zone === undefined ? {} : { availabilityZone: zone }),
      ...performanceInsights(props),
    };
    if (database.mode === 'serverless') {
      return rds.ClusterInstance.serverlessV2(id, {
        ...options,
        // The first reader is as large as the writer at all times, so that it can take over at once. CDK takes it of readers only.
        ...(position === 0 ? {} : { scaleWithWriter: position === 1 }),
      });
    }
    return rds.ClusterInstance.provisioned(id, {
      ...options,
      instanceType: new ec2.InstanceType(database.instanceClass.replace(/^db\./, '')),
      // The first to take over after the writer is the first reader.
      promotionTier: Math.min(position, LAST_PROMOTION_TIER),
    });
  }

  private acknowledgeFindings(): void {
    Validations.of(this.cluster).acknowledge(
      {
        id: 'CloudFormation-Validate::W3010',
        reason:
          'Writer and readers are to be in different zones, so each is told its own: one of the stage’s, which are configuration.',
      },
      {
        id: 'AwsSolutions-SMG4',
        reason: 'RDS manages the owner’s secret and rotates it every 7 days.',
      },
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole]',
        reason:
          'The policy that AWS keeps for RDS to write what it measures to the one log group of that name; only RDS may use the role.',
      },
      ...['AwsSolutions-RDS10', 'NIST.800.53.R5-RDSInstanceDeletionProtectionEnabled'].map(
        (id) => ({
          id,
          reason:
            'A disposable stage may be deleted, by policy, and then a last snapshot is made; a protected one may not.',
        }),
      ),
      {
        id: 'NIST.800.53.R5-RDSInBackupPlan',
        reason:
          'Aurora’s own continuous backup restores to any second of the stage’s retention; AWS Backup would add copies in another account, which is the organisation’s to choose.',
      },
    );
  }
}

function performanceInsights({ operations, dataKey }: PostgresClusterProps) {
  const advanced = operations.stage.size.database.insights === 'advanced';
  return {
    enablePerformanceInsights: true,
    performanceInsightEncryptionKey: dataKey,
    performanceInsightRetention: advanced
      ? rds.PerformanceInsightRetention.MONTHS_15
      : rds.PerformanceInsightRetention.DEFAULT,
  };
}

function insights(props: PostgresClusterProps) {
  const advanced = props.operations.stage.size.database.insights === 'advanced';
  return {
    ...performanceInsights(props),
    databaseInsightsMode: advanced
      ? rds.DatabaseInsightsMode.ADVANCED
      : rds.DatabaseInsightsMode.STANDARD,
  };
}
