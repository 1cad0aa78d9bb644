import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import {
  AwsCustomResource,
  AwsCustomResourcePolicy,
  type AwsSdkCall,
  PhysicalResourceId,
} from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { ConfigurationError } from '../../config/configuration-error.ts';
import { repositoryRoot } from '../../config/repository-root.ts';
import type { PublishedFile } from '../../config/static-files.ts';
import type { Operations } from '../operations/operations.ts';
import { EncryptedLogGroup } from '../shared/encrypted-log-group.ts';
import { acknowledgeCallFunction } from '../shared/provider-findings.ts';
import { type EdgeProblem, edgeProblems, problemPagePath } from './edge-problems.ts';

/** How long an old version of a static file can be brought back, in days. */
const OLD_VERSION_DAYS = 30;

export interface StaticFilesProps {
  readonly operations: Operations;
  /** Gets the access logs. */
  readonly accessLogs: s3.IBucket;
  /** What it has besides the problems. */
  readonly files: readonly PublishedFile[];
}

/** A call to S3 that makes an object. */
interface ObjectWrite {
  readonly action: 'copyObject' | 'putObject';
  /** Where it is served, and its key after the slash. */
  readonly path: string;
  /** Those of the call, besides bucket and key. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What the call may do besides writing the object. */
  readonly statements: readonly iam.PolicyStatement[];
  readonly logGroup: EncryptedLogGroup;
}

/**
 * The private bucket that CloudFront serves static files from, such as the API reference, and what it answers when it gets no response itself.
 *
 * Files get there by calls to S3: the CDK's `BucketDeployment` would bring 22 MB of AWS's command line for a handful of them.
 */
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
    for (const file of props.files) this.copyFile(file, logGroup);
    acknowledgeCallFunction(this);
  }

  /** From the bucket that the CDK's command line uploads assets to: its name ends in a hash of the file, so that a changed file is copied again. */
  private copyFile(file: PublishedFile, logGroup: EncryptedLogGroup): void {
    const { cacheControl, mediaType, path, source } = file;
    const absolute = join(repositoryRoot, source);
    if (!existsSync(absolute)) {
      throw new ConfigurationError([
        `There is no file ${source} to serve at ${path}. Run npm run docs, or npm ci where it is a package's.`,
      ]);
    }
    const id = path.slice(1);
    const asset = new Asset(this, `Asset-${id}`, { path: absolute });
    this.write(`File-${id}`, 'Custom::StaticFile', {
      action: 'copyObject',
      path,
      parameters: {
        CopySource: `${asset.s3BucketName}/${asset.s3ObjectKey}`,
        // Those of the asset say nothing of what it is.
        MetadataDirective: 'REPLACE',
        ContentType: mediaType,
        CacheControl: cacheControl,
      },
      statements: [
        new iam.PolicyStatement({
          actions: ['s3:GetObject'],
          resources: [
            Stack.of(this).formatArn({
              service: 's3',
              region: '',
              account: '',
              resource: asset.s3BucketName,
              resourceName: asset.s3ObjectKey,
            }),
          ],
        }),
      ],
      logGroup,
    });
  }

  private putProblemPage(problem: EdgeProblem, logGroup: EncryptedLogGroup): void {
    this.write(`ProblemPage${problem.status}`, 'Custom::ProblemPage', {
      action: 'putObject',
      path: problemPagePath(problem.status),
      parameters: {
        Body: JSON.stringify(problem),
        ContentType: 'application/problem+json',
        CacheControl: 'no-cache',
      },
      statements: [],
      logGroup,
    });
  }

  /** The custom resource that makes one object of the bucket. */
  private write(id: string, resourceType: string, write: ObjectWrite): void {
    const { action, logGroup, parameters, path, statements } = write;
    const key = path.slice(1);
    const call: AwsSdkCall = {
      service: 's3',
      action,
      parameters: { Bucket: this.bucket.bucketName, Key: key, ...parameters },
      physicalResourceId: PhysicalResourceId.of(path),
      // The response names a version of the object, which nothing here needs.
      outputPaths: [],
    };
    new AwsCustomResource(this, id, {
      resourceType,
      onCreate: call,
      onUpdate: call,
      policy: AwsCustomResourcePolicy.fromStatements([
        ...statements,
        new iam.PolicyStatement({
          actions: ['s3:PutObject'],
          resources: [this.bucket.arnForObjects(key)],
        }),
      ]),
      installLatestAwsSdk: false,
      logGroup,
    });
  }
}
