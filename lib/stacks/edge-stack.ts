import { CfnOutput } from 'aws-cdk-lib';
import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';
import type { ServiceDefinition } from '../config/services.ts';
import { ContentDelivery } from '../constructs/edge/content-delivery.ts';
import type { EdgeMetrics } from '../constructs/edge/edge-monitoring.ts';
import { WebFirewall } from '../constructs/edge/web-firewall.ts';
import type { Operations } from '../constructs/operations/operations.ts';
import { PageAlarm } from '../constructs/operations/page-alarm.ts';
import { StageStack, type StageStackProps } from './stage-stack.ts';

/** CloudFront takes web ACLs and certificates, and gives its metrics, in this region only. */
export const EDGE_REGION = 'us-east-1';

export interface EdgeStackProps extends StageStackProps {
  /** Those of {@link EDGE_REGION}. */
  readonly operations: Operations;
  readonly vpcOrigin: cloudfront.IVpcOrigin;
  /** Services whose paths go to the load balancer. */
  readonly definitions: readonly ServiceDefinition[];
}

export class EdgeStack extends StageStack {
  readonly metrics: EdgeMetrics;
  readonly pageAlarm: PageAlarm | undefined;

  constructor(scope: Construct, props: EdgeStackProps) {
    super(scope, props, {
      part: 'edge',
      description: 'CloudFront, firewall and static files',
      region: EDGE_REGION,
    });
    const firewall = new WebFirewall(this, 'Firewall', props);
    const delivery = new ContentDelivery(this, 'Delivery', {
      ...props,
      webAclArn: firewall.webAclArn,
    });
    this.metrics = { delivery: delivery.metrics, firewall: firewall.metrics };
    // Here, as an alarm knows no other region's: that of the API's page is another one's.
    this.pageAlarm = PageAlarm.of(this, 'Page', {
      operations: props.operations,
      subsystem: 'edge',
    });
    new CfnOutput(this, 'Url', {
      description: 'Where the system answers',
      value: `https://${props.stage.policy.domain?.name ?? delivery.distribution.distributionDomainName}`,
    });
  }
}
