import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as origins from 'aws-cdk-lib/aws-cloudfront-origins';
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { StageSize } from '../config/stage.ts';
import { timeouts } from '../config/timeouts.ts';
import { OperationalAlarm } from './operational-alarm.ts';
import type { Operations } from './operations.ts';

const METRIC_PERIOD = Duration.minutes(1);
/** Longest that an answer of the API is kept at the edge, whatever its Cache-Control says, in seconds. */
const LONGEST_API_CACHE_SECONDS = 60;
/** How long an old version of a static file can be brought back, in days. */
const OLD_VERSION_DAYS = 30;

const priceClasses: Readonly<Record<StageSize['edge']['priceClass'], cloudfront.PriceClass>> = {
  '100': cloudfront.PriceClass.PRICE_CLASS_100,
  '200': cloudfront.PriceClass.PRICE_CLASS_200,
  all: cloudfront.PriceClass.PRICE_CLASS_ALL,
};

export interface ContentDeliveryProps {
  readonly operations: Operations;
  readonly webAclArn: string;
  /** The way to the load balancer. */
  readonly vpcOrigin: cloudfront.IVpcOrigin;
}

/** What a dashboard shows of the edge. */
export interface ContentDeliveryMetrics {
  /** Requests per minute. */
  readonly requests: IMetric;
  /** Percent of requests answered 5xx. */
  readonly errorRate: IMetric;
}

/** CloudFront in front of everything: `/api/*` goes to the load balancer, the rest is static files from a private bucket. */
export class ContentDelivery extends Construct {
  readonly distribution: cloudfront.Distribution;
  readonly metrics: ContentDeliveryMetrics;

  constructor(scope: Construct, id: string, props: ContentDeliveryProps) {
    super(scope, id);
    const { stage } = props.operations;
    const shared = {
      viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      responseHeadersPolicy: cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
      compress: true,
    };
    this.distribution = new cloudfront.Distribution(this, 'Distribution', {
      comment: `Headroom ${stage.name}`,
      webAclId: props.webAclArn,
      priceClass: priceClasses[stage.size.edge.priceClass],
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      defaultRootObject: 'index.html',
      defaultBehavior: {
        ...shared,
        origin: origins.S3BucketOrigin.withOriginAccessControl(this.createBucket()),
        cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED,
      },
      additionalBehaviors: {
        '/api/*': {
          ...shared,
          origin: origins.VpcOrigin.withVpcOrigin(props.vpcOrigin, {
            readTimeout: Duration.seconds(timeouts.edgeRead),
            keepaliveTimeout: Duration.seconds(timeouts.edgeKeepAlive),
          }),
          allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL,
          cachePolicy: this.createApiCachePolicy(),
          originRequestPolicy: cloudfront.OriginRequestPolicy.ALL_VIEWER,
        },
      },
    });
    this.metrics = this.createMetrics(props.operations);
  }

  private createBucket(): s3.IBucket {
    const bucket = new s3.Bucket(this, 'StaticFiles', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      lifecycleRules: [
        {
          noncurrentVersionExpiration: Duration.days(OLD_VERSION_DAYS),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    // aws-cdk-lib's classes don't fit its own interfaces under exactOptionalPropertyTypes.
    return bucket as s3.IBucket;
  }

  /**
   * Caches what the service's Cache-Control allows, for as long as it says, and nothing that says nothing. The headers of credentials
   * are part of the key, so that no answer to one caller can reach another.
   */
  private createApiCachePolicy(): cloudfront.CachePolicy {
    return new cloudfront.CachePolicy(this, 'ApiCachePolicy', {
      comment: 'As long as Cache-Control says',
      minTtl: Duration.seconds(0),
      defaultTtl: Duration.seconds(0),
      maxTtl: Duration.seconds(LONGEST_API_CACHE_SECONDS),
      queryStringBehavior: cloudfront.CacheQueryStringBehavior.all(),
      headerBehavior: cloudfront.CacheHeaderBehavior.allowList('Authorization', 'X-API-Key'),
      cookieBehavior: cloudfront.CacheCookieBehavior.none(),
      enableAcceptEncodingGzip: true,
      enableAcceptEncodingBrotli: true,
    });
  }

  private createMetrics(operations: Operations): ContentDeliveryMetrics {
    const { errorRatePercent, errorRateMinimumRequests } = operations.stage.alarms;
    const metric = (metricName: string, statistic: string) =>
      new Metric({
        namespace: 'AWS/CloudFront',
        metricName,
        dimensionsMap: { DistributionId: this.distribution.distributionId, Region: 'Global' },
        statistic,
        period: METRIC_PERIOD,
        // The only region that has CloudFront's metrics.
        region: 'us-east-1',
      });
    const requests = metric('Requests', 'Sum');
    const errorRate = metric('5xxErrorRate', 'Average');
    new OperationalAlarm(this, 'ErrorRate', {
      operations,
      severity: 'page',
      meaning: `CloudFront has answered more than ${errorRatePercent} % of at least ${errorRateMinimumRequests} requests a minute 5xx for 5 minutes.`,
      metric: new MathExpression({
        label: 'Error rate, percent',
        expression: `IF(requests >= ${errorRateMinimumRequests}, rate, 0)`,
        usingMetrics: { requests, rate: errorRate },
        period: METRIC_PERIOD,
      }),
      threshold: errorRatePercent,
      periods: 5,
    });
    return { requests, errorRate };
  }
}
