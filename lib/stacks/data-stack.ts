import { RemovalPolicy } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { CacheCluster } from '../constructs/cache/cache-cluster.ts';
import { PostgresCluster } from '../constructs/database/postgres-cluster.ts';
import type { Operations } from '../constructs/operations/operations.ts';
import { StageStack, type StageStackProps } from './stage-stack.ts';

export interface DataStackProps extends StageStackProps {
  readonly operations: Operations;
  readonly vpc: ec2.IVpc;
}

export class DataStack extends StageStack {
  readonly database: PostgresCluster;
  readonly cache: CacheCluster;
  /** Encrypts the data of the stage, its backups and its secrets. */
  readonly dataKey: kms.IKey;

  constructor(scope: Construct, props: DataStackProps) {
    super(scope, props, { part: 'data', description: 'Aurora PostgreSQL and ElastiCache' });
    const dataKey = new kms.Key(this, 'DataKey', {
      description: `Encrypts the data of stage ${props.stage.name}, its backups and its passwords.`,
      enableKeyRotation: true,
      // Backups and last snapshots outlive the stack, and are lost without it.
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.database = new PostgresCluster(this, 'Database', { ...props, dataKey });
    this.cache = new CacheCluster(this, 'Cache', { ...props, dataKey });
    // aws-cdk-lib's classes don't fit its own interfaces under exactOptionalPropertyTypes.
    this.dataKey = dataKey as kms.IKey;
  }
}
