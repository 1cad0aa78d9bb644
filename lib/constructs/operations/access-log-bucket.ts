import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Operations } from './operations.ts';

export interface AccessLogBucketProps {
  readonly operations: Operations;
}

/** A private bucket for access logs, which hold addresses of people: they go when the stage's policy says. */
export class AccessLogBucket extends s3.Bucket {
  constructor(scope: Construct, id: string, props: AccessLogBucketProps) {
    const { accessLogDays } = props.operations.stage.policy.retention;
    super(scope, id, {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      lifecycleRules: [
        {
          expiration: Duration.days(accessLogDays),
          noncurrentVersionExpiration: Duration.days(1),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const ofItself = 'It is where access logs go; logs of their delivery would be logged in turn.';
    Validations.of(this).acknowledge(
      { id: 'AwsSolutions-S1', reason: ofItself },
      { id: 'NIST.800.53.R5-S3BucketLoggingEnabled', reason: ofItself },
      {
        id: 'NIST.800.53.R5-S3BucketReplicationEnabled',
        reason: 'Access logs are for looking into the last days; nobody restores them elsewhere.',
      },
      {
        id: 'NIST.800.53.R5-S3DefaultEncryptionKMS',
        reason:
          'Load balancers write access logs only into buckets with S3’s own keys (Elastic Load Balancing’s user guide).',
      },
    );
  }
}
