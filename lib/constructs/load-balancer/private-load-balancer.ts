import { Aws, Duration, Stack, Validations } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as iam from 'aws-cdk-lib/aws-iam';
import {
  AwsCustomResource,
  AwsCustomResourcePolicy,
  type AwsSdkCall,
  PhysicalResourceId,
} from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { timeouts } from '../../config/timeouts.ts';
import { hostedZone } from '../edge/domain.ts';
import { AccessLogBucket } from '../operations/access-log-bucket.ts';
import { addCertificateAlarm } from '../operations/certificate-alarm.ts';
import type { Operations } from '../operations/operations.ts';
import { EncryptedLogGroup } from '../shared/encrypted-log-group.ts';
import { acknowledgeCallFunction } from '../shared/provider-findings.ts';
import { addLoadBalancerAlarms, type LoadBalancerMetrics } from './load-balancer-monitoring.ts';

const HTTP_PORT = 80;
const HTTPS_PORT = 443;
/** Who writes access logs of load balancers (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html). */
const LOG_DELIVERY = 'logdelivery.elasticloadbalancing.amazonaws.com';
/** CloudFront makes this group in the VPC with its first VPC origin, and puts its network interfaces into it. */
const CLOUDFRONT_SECURITY_GROUP = 'CloudFront-VPCOrigins-Service-SG';

export interface PrivateLoadBalancerProps {
  readonly operations: Operations;
  readonly vpc: ec2.IVpc;
}

/**
 * A load balancer without a public address, which only CloudFront can reach: through a VPC origin, from the security group
 * that CloudFront keeps for it. That is tighter than the list of CloudFront's addresses, which everybody's distributions share.
 */
export class PrivateLoadBalancer extends Construct {
  readonly loadBalancer: elb.ApplicationLoadBalancer;
  readonly listener: elb.ApplicationListener;
  readonly vpcOrigin: cloudfront.VpcOrigin;
  /** Undefined where the stage has no domain of its own. */
  readonly certificate: acm.ICertificate | undefined;
  readonly metrics: LoadBalancerMetrics;

  constructor(scope: Construct, id: string, props: PrivateLoadBalancerProps) {
    super(scope, id);
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: props.vpc,
      description: 'Load balancer: in from CloudFront, out to the services',
      allowAllOutbound: false,
    });
    this.loadBalancer = new elb.ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: props.vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      internetFacing: false,
      securityGroup,
      idleTimeout: Duration.seconds(timeouts.loadBalancerIdle),
      dropInvalidHeaderFields: true,
      desyncMitigationMode: elb.DesyncMitigationMode.STRICTEST,
      deletionProtection: props.operations.stage.protection === 'protected',
    });
    this.logAccess(props.operations);
    this.certificate = this.createCertificate(props.operations);
    this.listener = this.createListener();
    this.vpcOrigin = this.createVpcOrigin();
    this.vpcOrigin.node.addDependency(this.listener);
    // A resource of its own: as part of the group, it would make the group wait for the load balancer that waits for it.
    new ec2.CfnSecurityGroupIngress(this, 'FromCloudFront', {
      groupId: securityGroup.securityGroupId,
      sourceSecurityGroupId: this.findCloudFrontSecurityGroup(props),
      ipProtocol: ec2.Protocol.TCP,
      fromPort: this.port,
      toPort: this.port,
      description: 'CloudFront, through the VPC origin',
    });
    this.metrics = this.watch(props.operations);
    this.acknowledgeFindings(props.operations);
  }

  private watch(operations: Operations): LoadBalancerMetrics {
    const { domain } = operations.stage.policy;
    const { certificate, loadBalancer } = this;
    if (domain !== undefined && certificate !== undefined) {
      addCertificateAlarm(this, { operations, certificate, domainName: domain.name });
    }
    return addLoadBalancerAlarms(this, { operations, loadBalancer });
  }

  /** By the policy that AWS recommends now; `logAccessLogs` names an account of AWS's, which differs by region. */
  private logAccess(operations: Operations): void {
    const bucket = new AccessLogBucket(this, 'AccessLogs', { operations });
    bucket.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AccessLogsOfLoadBalancers',
        principals: [new iam.ServicePrincipal(LOG_DELIVERY)],
        actions: ['s3:PutObject'],
        resources: [bucket.arnForObjects(`AWSLogs/${Aws.ACCOUNT_ID}/*`)],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnLike: {
            'aws:SourceArn': Stack.of(this).formatArn({
              service: 'elasticloadbalancing',
              resource: 'loadbalancer',
              resourceName: '*',
            }),
          },
        },
      }),
    );
    this.loadBalancer.setAttribute('access_logs.s3.enabled', 'true');
    this.loadBalancer.setAttribute('access_logs.s3.bucket', bucket.bucketName);
    // The load balancer tries to write as soon as it is told to.
    if (bucket.policy !== undefined) this.loadBalancer.node.addDependency(bucket.policy);
  }

  private get port(): number {
    return this.certificate === undefined ? HTTP_PORT : HTTPS_PORT;
  }

  /** CloudFront passes the name on that the client asked for, and checks the certificate against it. */
  private createCertificate({ stage }: Operations): acm.ICertificate | undefined {
    const { domain } = stage.policy;
    if (domain === undefined) return undefined;
    return new acm.Certificate(this, 'Certificate', {
      domainName: domain.name,
      validation: acm.CertificateValidation.fromDns(hostedZone(this, domain)),
    });
  }

  private createListener(): elb.ApplicationListener {
    const shared = {
      port: this.port,
      open: false,
      defaultAction: elb.ListenerAction.fixedResponse(404, {
        contentType: 'application/json',
        messageBody: JSON.stringify({ type: 'about:blank', title: 'Not Found', status: 404 }),
      }),
    };
    if (this.certificate === undefined) {
      return this.loadBalancer.addListener('Http', {
        ...shared,
        protocol: elb.ApplicationProtocol.HTTP,
      });
    }
    return this.loadBalancer.addListener('Https', {
      ...shared,
      protocol: elb.ApplicationProtocol.HTTPS,
      certificates: [this.certificate],
      sslPolicy: elb.SslPolicy.RECOMMENDED_TLS,
    });
  }

  /** CloudFront changes no VPC origin that is in use: with a certificate it is therefore another one, not a changed one. */
  private createVpcOrigin(): cloudfront.VpcOrigin {
    const endpoint = cloudfront.VpcOriginEndpoint.applicationLoadBalancer(this.loadBalancer);
    if (this.certificate === undefined) {
      return new cloudfront.VpcOrigin(this, 'VpcOrigin', {
        endpoint,
        httpPort: HTTP_PORT,
        protocolPolicy: cloudfront.OriginProtocolPolicy.HTTP_ONLY,
      });
    }
    return new cloudfront.VpcOrigin(this, 'SecureVpcOrigin', {
      endpoint,
      httpsPort: HTTPS_PORT,
      protocolPolicy: cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
      originSslProtocols: [cloudfront.OriginSslPolicy.TLS_V1_2],
    });
  }

  private acknowledgeFindings({ stage }: Operations): void {
    Validations.of(this.loadBalancer).acknowledge({
      id: 'NIST.800.53.R5-ALBWAFEnabled',
      reason:
        'Its only way in is CloudFront’s VPC origin, and the firewall is there, before CloudFront: a second one would look at the same requests again.',
    });
    if (stage.protection !== 'protected') {
      Validations.of(this.loadBalancer).acknowledge({
        id: 'NIST.800.53.R5-ELBDeletionProtectionEnabled',
        reason: 'The stage is disposable by policy; protected ones have it.',
      });
    }
    if (this.certificate !== undefined) return;
    const reason =
      'The stage has no domain, and no authority certifies an internal name. The hop is from CloudFront’s interface in the VPC to the load balancer beside it; with policy.domain it is TLS.';
    Validations.of(this.listener).acknowledge(
      { id: 'NIST.800.53.R5-ALBHttpToHttpsRedirection', reason },
      { id: 'NIST.800.53.R5-ELBv2ACMCertificateRequired', reason },
    );
  }

  /** CloudFormation does not tell the group's id, so EC2 is asked once the VPC origin, and with it the group, is there. */
  private findCloudFrontSecurityGroup(props: PrivateLoadBalancerProps): string {
    const outputPath = 'SecurityGroups.0.GroupId';
    const call: AwsSdkCall = {
      service: 'ec2',
      action: 'describeSecurityGroups',
      parameters: {
        Filters: [
          { Name: 'vpc-id', Values: [props.vpc.vpcId] },
          { Name: 'group-name', Values: [CLOUDFRONT_SECURITY_GROUP] },
        ],
      },
      physicalResourceId: PhysicalResourceId.of(CLOUDFRONT_SECURITY_GROUP),
      outputPaths: [outputPath],
    };
    const lookup = new AwsCustomResource(this, 'CloudFrontSecurityGroup', {
      resourceType: 'Custom::CloudFrontSecurityGroup',
      onCreate: call,
      onUpdate: call,
      policy: AwsCustomResourcePolicy.fromStatements([
        new iam.PolicyStatement({
          actions: ['ec2:DescribeSecurityGroups'],
          // EC2 knows no narrower resource for its Describe actions.
          resources: ['*'],
        }),
      ]),
      installLatestAwsSdk: false,
      logGroup: new EncryptedLogGroup(this, 'CloudFrontSecurityGroupLog', props),
    });
    lookup.node.addDependency(this.vpcOrigin);
    Validations.of(lookup).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'It may only describe security groups, and EC2 knows no narrower resource for that.',
    });
    acknowledgeCallFunction(this);
    return lookup.getResponseField(outputPath);
  }
}
