import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import {
  AwsCustomResource,
  AwsCustomResourcePolicy,
  type AwsSdkCall,
  PhysicalResourceId,
} from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { type EdgeProblem, edgeProblems, problemPagePath } from './edge-problems.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import type { Operations } from './operations.ts';
import { acknowledgeCallFunction } from './provider-findings.ts';

/** How long an old version of a static file can be brought back, in days. */
const OLD_VERSION_DAYS = 30;
export interface StaticFilesProps {
  readonly operations: Operations;
  /** Gets the access logs. */
  readonly accessLogs: s3.IBucket;
}

/** The private bucket that CloudFront serves static files from, such as the API reference, and what it answers when it gets no answer itself. */
export class StaticFiles extends Construct {
  readonly bucket: s3.IBucket;

  constructor(scope: Construct, id: string, props: StaticFilesProps) {
    super(scope, id);
    const bucket = new s3.Bucket(this, 'Bucket', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      serverAccessLogsBucket: props.accessLogs,
      serverAccessLogsPrefix: 'static-files/',
      lifecycleRules: [
        {
          noncurrentVersionExpiration: Duration.days(OLD_VERSION_DAYS),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // aws-cdk-lib's classes don't fit its own interfaces under exactOptionalPropertyTypes.
    this.bucket = bucket as s3.IBucket;
    Validations.of(bucket).acknowledge(
      {
        id: 'NIST.800.53.R5-S3BucketReplicationEnabled',
        reason:
          'Everything in it comes from the repository and is put there again by a deployment.',
      },
      {
        id: 'NIST.800.53.R5-S3DefaultEncryptionKMS',
        reason:
          'What is in it is public through CloudFront; a key of KMS would cost by request and hide nothing.',
      },
    );
    const logGroup = new EncryptedLogGroup(this, 'ProblemPagesLog', props);
    for (const problem of edgeProblems) this.putProblemPage(problem, logGroup);
    acknowledgeCallFunction(this);
  }

  /** By a call to S3: the CDK's `BucketDeployment` would bring 22 MB of AWS's command line for two small files. */
  private putProblemPage(problem: EdgeProblem, logGroup: EncryptedLogGroup): void {
    const path = problemPagePath(problem.status);
    const call: AwsSdkCall = {
      service: 's3',
      action: 'putObject',
      parameters: {
        Bucket: this.bucket.bucketName,
        Key: path.slice(1),
        Body: JSON.stringify(problem),
        ContentType: 'application/problem+json',
        CacheControl: 'no-cache',
      },
      physicalResourceId: PhysicalResourceId.of(path),
      // The answer names a version of the object, which nothing here needs.
      outputPaths: [],
    };
    new AwsCustomResource(this, `ProblemPage${problem.status}`, {
      resourceType: 'Custom::ProblemPage',
      onCreate: call,
      onUpdate: call,
      policy: AwsCustomResourcePolicy.fromStatements([
        new iam.PolicyStatement({
          actions: ['s3:PutObject'],
          resources: [this.bucket.arnForObjects(path.slice(1))],
        }),
      ]),
      installLatestAwsSdk: false,
      logGroup,
    });
  }
}
