import { Duration, Validations } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as origins from 'aws-cdk-lib/aws-cloudfront-origins';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { repositoryRoot } from '../../config/repository-root.ts';
import type { ServiceDefinition } from '../../config/services.ts';
import type { StageSize } from '../../config/stage.ts';
import { API_REFERENCE, readPublication } from '../../config/static-files.ts';
import { timeouts } from '../../config/timeouts.ts';
import { AccessLogBucket } from '../operations/access-log-bucket.ts';
import { addCertificateAlarm } from '../operations/certificate-alarm.ts';
import type { Operations } from '../operations/operations.ts';
import { deliverAccessLogs } from './content-delivery-logs.ts';
import {
  securityHeaders,
  serviceCachePolicy,
  serviceRequestPolicy,
} from './content-delivery-policies.ts';
import { addAliasRecords, hostedZone } from './domain.ts';
import {
  addContentDeliveryAlarms,
  type ContentDeliveryMetrics,
  contentDeliveryMetrics,
} from './edge-monitoring.ts';
import { edgeProblems, problemPagePath } from './edge-problems.ts';
import { StaticFiles } from './static-files.ts';

/** How long the edge answers with a problem of its own before it asks the load balancer again. */
const PROBLEM_CACHE = Duration.seconds(1);

/** The page of the API reference and its files, which need a content security policy of their own. */
const REFERENCE_PATHS = '/docs*';

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
  /** Services whose paths go to the load balancer. */
  readonly definitions: readonly ServiceDefinition[];
}

/** CloudFront in front of everything: the paths of services go to the load balancer, the rest is static files from a private bucket. */
export class ContentDelivery extends Construct {
  readonly distribution: cloudfront.Distribution;
  readonly metrics: ContentDeliveryMetrics;
  /** Undefined where the stage has no domain of its own. */
  readonly certificate: acm.ICertificate | undefined;

  constructor(scope: Construct, id: string, props: ContentDeliveryProps) {
    super(scope, id);
    const { operations } = props;
    const { stage } = operations;
    const { domain } = stage.policy;
    const reference = readPublication(repositoryRoot, API_REFERENCE);
    const accessLogs = new AccessLogBucket(this, 'AccessLogs', { operations });
    const staticFiles = new StaticFiles(this, 'Static', {
      operations,
      // aws-cdk-lib's classes don't fit its own interfaces under exactOptionalPropertyTypes.
      accessLogs: accessLogs as s3.IBucket,
      files: reference.files,
    });
    const files = origins.S3BucketOrigin.withOriginAccessControl(staticFiles.bucket, {
      // With LIST, a file that is not there is 404; without, S3 says 403 lest it tell.
      originAccessLevels: [cloudfront.AccessLevel.READ, cloudfront.AccessLevel.LIST],
    });
    this.certificate =
      domain === undefined
        ? undefined
        : new acm.Certificate(this, 'Certificate', {
            domainName: domain.name,
            validation: acm.CertificateValidation.fromDns(hostedZone(this, domain)),
          });
    const shared = {
      viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
      responseHeadersPolicy: securityHeaders(this, 'SecurityHeaders'),
      compress: true,
    };
    this.distribution = new cloudfront.Distribution(this, 'Distribution', {
      comment: `Headroom ${stage.name}`,
      webAclId: props.webAclArn,
      priceClass: priceClasses[stage.size.edge.priceClass],
      httpVersion: cloudfront.HttpVersion.HTTP2_AND_3,
      ...(domain === undefined || this.certificate === undefined
        ? {}
        : {
            domainNames: [domain.name],
            certificate: this.certificate,
            minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
          }),
      defaultRootObject: 'index.html',
      errorResponses: edgeProblems.map(({ status }) => ({
        httpStatus: status,
        responseHttpStatus: status,
        responsePagePath: problemPagePath(status),
        ttl: PROBLEM_CACHE,
      })),
      defaultBehavior: {
        ...shared,
        origin: files,
        cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED,
      },
      additionalBehaviors: {
        ...this.serviceBehaviors(props, shared),
        [REFERENCE_PATHS]: {
          ...shared,
          origin: files,
          cachePolicy: cloudfront.CachePolicy.CACHING_OPTIMIZED,
          responseHeadersPolicy: securityHeaders(
            this,
            'ReferenceHeaders',
            reference.contentSecurityPolicy,
          ),
        },
      },
    });
    deliverAccessLogs(this, {
      distribution: this.distribution,
      bucket: accessLogs,
      name: `headroom-${stage.name}-edge`,
    });
    if (domain !== undefined) addAliasRecords(this, domain, this.distribution);
    this.metrics = contentDeliveryMetrics(this.distribution);
    addContentDeliveryAlarms(this, { operations, metrics: this.metrics });
    if (domain !== undefined && this.certificate !== undefined) {
      const { certificate } = this;
      addCertificateAlarm(this, { operations, certificate, domainName: domain.name });
    }
    this.acknowledgeFindings(domain !== undefined);
  }

  /** One behaviour for each path of each service, all to the load balancer, which knows them too. */
  private serviceBehaviors(
    { definitions, operations, vpcOrigin }: ContentDeliveryProps,
    shared: Partial<cloudfront.BehaviorOptions>,
  ): Record<string, cloudfront.BehaviorOptions> {
    const { stage } = operations;
    const behavior: cloudfront.BehaviorOptions = {
      ...shared,
      origin: origins.VpcOrigin.withVpcOrigin(vpcOrigin, {
        readTimeout: Duration.seconds(timeouts.edgeRead),
        keepaliveTimeout: Duration.seconds(timeouts.edgeKeepAlive),
        ...(stage.size.edge.originShield
          ? { originShieldEnabled: true, originShieldRegion: stage.region }
          : {}),
      }),
      allowedMethods: cloudfront.AllowedMethods.ALLOW_ALL,
      cachePolicy: serviceCachePolicy(this),
      originRequestPolicy: serviceRequestPolicy(this),
    };
    const paths = definitions.flatMap(({ pathPatterns }) => pathPatterns);
    return Object.fromEntries(paths.map((path) => [path, behavior]));
  }

  private acknowledgeFindings(hasDomain: boolean): void {
    Validations.of(this.distribution).acknowledge(
      {
        id: 'AwsSolutions-CFR1',
        reason:
          'The API is for clients everywhere; whom a stage must keep out is its owners’ to say.',
      },
      {
        id: 'AwsSolutions-CFR3',
        reason:
          'It logs by CloudWatch Logs deliveries (standard logging, version 2), which the rule does not know.',
      },
      {
        id: 'Annotation::@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk',
        reason:
          'The distribution has a default root object, so that nobody gets the list of files.',
      },
    );
    if (hasDomain) return;
    Validations.of(this.distribution).acknowledge({
      id: 'AwsSolutions-CFR4',
      reason:
        'Without a domain of its own the stage answers under CloudFront’s name, whose certificate comes with CloudFront’s own protocols. With policy.domain it is TLS 1.2 and later.',
    });
  }
}
