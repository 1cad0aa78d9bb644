import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { migrations } from '../config/services.ts';
import { DatabaseMigrations } from '../constructs/database/database-migrations.ts';
import type { PostgresCluster } from '../constructs/database/postgres-cluster.ts';
import type { Operations } from '../constructs/operations/operations.ts';
import { StageStack, type StageStackProps } from './stage-stack.ts';

export interface MigrationsStackProps extends StageStackProps {
  readonly operations: Operations;
  readonly vpc: ec2.IVpc;
  readonly database: PostgresCluster;
}

/** A stack of its own, so that it has succeeded before the workers or the API change. */
export class MigrationsStack extends StageStack {
  constructor(scope: Construct, props: MigrationsStackProps) {
    super(scope, props, { part: 'migrations', description: 'schema of the database' });
    this.keepLogsOfProviders(props.operations);
    new DatabaseMigrations(this, 'Migrations', { ...props, ...migrations });
  }
}
