import { Duration } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import { NodeFunction } from '../functions/node-function.ts';
import { OperationalAlarm } from '../operations/operational-alarm.ts';
import type { Operations } from '../operations/operations.ts';
import type { PostgresCluster } from './postgres-cluster.ts';

/** A minute less than Lambda's longest, so that the CDK's function that waits for the result is still there to report it. */
const TIMEOUT_SECONDS = 840;
const MEMORY_MEBIBYTES = 512;

export interface DatabaseMigrationsProps {
  readonly operations: Operations;
  readonly vpc: ec2.IVpc;
  readonly database: PostgresCluster;
  /** Module that exports `handler`, relative to the root of the repository. */
  readonly entry: string;
  /** Folder of the SQL files, relative to the root of the repository. */
  readonly directory: string;
}

/**
 * Brings the database to the newest schema while a deployment goes on: once for each change of the migrations or of what runs
 * them. When it fails, so does the deployment, before anything that needs the new schema has changed.
 */
export class DatabaseMigrations extends Construct {
  constructor(scope: Construct, id: string, props: DatabaseMigrationsProps) {
    super(scope, id);
    const { operations, database } = props;
    const handler = new NodeFunction(this, 'Function', {
      operations,
      description: 'Applies the migrations of the database.',
      vpc: props.vpc,
      entry: props.entry,
      folders: { migrations: props.directory },
      memoryMebibytes: MEMORY_MEBIBYTES,
      timeoutSeconds: TIMEOUT_SECONDS,
      concurrency: {
        unlimitedBecause:
          'Only a deployment invokes it, once, and a lock in the database lets one run at a time.',
      },
      deadLetterReason:
        'A deployment waits for its response and fails with it: nothing is left to be sent again.',
      environment: {
        STAGE: operations.stage.name,
        DATABASE_URL: database.writerUrl(),
        DATABASE_SECRET_ARN: database.ownerSecretArn,
        DATABASE_TLS: 'verify',
      },
    });
    database.grantOwnerLogin(handler, handler);
    const trigger = new Trigger(this, 'Run', {
      handler,
      timeout: Duration.seconds(TIMEOUT_SECONDS),
    });
    // The way to the database and the right to read the secret, too, have to be there before it runs.
    trigger.executeAfter(handler, ...handler.connections.securityGroups);
    new OperationalAlarm(this, 'Failed', {
      operations,
      severity: 'ticket',
      meaning: 'The migrations of the database have failed, and with them a deployment.',
      metric: handler.metricErrors({ period: Duration.minutes(1) }),
      threshold: 0,
      periods: 1,
    });
  }
}
