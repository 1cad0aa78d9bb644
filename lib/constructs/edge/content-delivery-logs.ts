import { ArnFormat, Aws, Stack } from 'aws-cdk-lib';
import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

const DELIVERY_SERVICE = 'delivery.logs.amazonaws.com';

/** Of a request, all that finding a fault takes; no cookies and no query, where cursors, searches and secrets may be. */
const recordFields = [
  'date',
  'time',
  'x-edge-location',
  'x-edge-request-id',
  'c-ip',
  'cs-method',
  'x-host-header',
  'cs-uri-stem',
  'cs-protocol',
  'cs-protocol-version',
  'cs-bytes',
  'cs(User-Agent)',
  'sc-status',
  'sc-bytes',
  'sc-content-type',
  'time-taken',
  'time-to-first-byte',
  'x-edge-result-type',
  'x-edge-response-result-type',
  'x-edge-detailed-result-type',
  'ssl-protocol',
  'ssl-cipher',
];

export interface ContentDeliveryLogsProps {
  readonly distribution: cloudfront.Distribution;
  readonly bucket: s3.Bucket;
  /** Begins the names of what CloudWatch Logs makes for it; unique in the account. */
  readonly name: string;
}

/**
 * Access logs of a distribution, delivered by CloudWatch Logs ("standard logging, version 2"). The older way of logging, which
 * `enableLogging` means, needs a bucket with access control lists, and cannot leave out queries.
 */
export function deliverAccessLogs(scope: Construct, props: ContentDeliveryLogsProps): void {
  const { bucket, distribution, name } = props;
  const source = new logs.CfnDeliverySource(scope, 'AccessLogSource', {
    name,
    logType: 'ACCESS_LOGS',
    resourceArn: distribution.distributionArn,
  });
  const destination = new logs.CfnDeliveryDestination(scope, 'AccessLogDestination', {
    name,
    destinationResourceArn: bucket.bucketArn,
    outputFormat: 'json',
  });
  bucket.addToResourcePolicy(
    new iam.PolicyStatement({
      sid: 'AccessLogsOfCloudFront',
      principals: [new iam.ServicePrincipal(DELIVERY_SERVICE)],
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects('*')],
      conditions: {
        StringEquals: {
          's3:x-amz-acl': 'bucket-owner-full-control',
          'aws:SourceAccount': Aws.ACCOUNT_ID,
        },
        ArnLike: {
          'aws:SourceArn': Stack.of(scope).formatArn({
            service: 'logs',
            resource: 'delivery-source',
            resourceName: name,
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        },
      },
    }),
  );
  const delivery = new logs.CfnDelivery(scope, 'AccessLogDelivery', {
    deliverySourceName: source.name,
    deliveryDestinationArn: destination.attrArn,
    recordFields,
    s3SuffixPath: '{DistributionId}/{yyyy}/{MM}/{dd}/{HH}',
  });
  delivery.addResourceDependency(source);
  if (bucket.policy !== undefined) delivery.node.addDependency(bucket.policy);
}
