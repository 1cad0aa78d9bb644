import * as wafv2 from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { StageConfiguration } from '../config/stage.ts';

/** Window of the rate limit, in seconds: `requestsPerAddress` counts the requests in it. */
const RATE_WINDOW_SECONDS = 300;

/** AWS's own groups of rules (https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html), in order. */
const managedRuleGroups = [
  'AWSManagedRulesAmazonIpReputationList',
  'AWSManagedRulesCommonRuleSet',
  'AWSManagedRulesKnownBadInputsRuleSet',
  'AWSManagedRulesSQLiRuleSet',
] as const;

export interface WebFirewallProps {
  readonly stage: StageConfiguration;
}

/** The web ACL in front of CloudFront, which has to be in us-east-1. Its rules block; none of them only counts. */
export class WebFirewall extends Construct {
  readonly webAclArn: string;
  /** Name under which CloudWatch has its metrics. */
  readonly metricName: string;

  constructor(scope: Construct, id: string, props: WebFirewallProps) {
    super(scope, id);
    this.metricName = `headroom-${props.stage.name}`;
    const rateLimit: wafv2.CfnWebACL.RuleProperty = {
      name: 'RequestsPerAddress',
      priority: 0,
      action: { block: {} },
      statement: {
        rateBasedStatement: {
          aggregateKeyType: 'IP',
          limit: props.stage.size.edge.requestsPerAddress,
          evaluationWindowSec: RATE_WINDOW_SECONDS,
        },
      },
      visibilityConfig: this.visibility('RequestsPerAddress'),
    };
    const acl = new wafv2.CfnWebACL(this, 'WebAcl', {
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: this.visibility(this.metricName),
      rules: [
        rateLimit,
        ...managedRuleGroups.map((name, index) => ({
          name,
          priority: index + 1,
          // `none` leaves each rule its own action, which is to block; `count` would switch the group off.
          overrideAction: { none: {} },
          statement: { managedRuleGroupStatement: { vendorName: 'AWS', name } },
          visibilityConfig: this.visibility(name),
        })),
      ],
    });
    this.webAclArn = acl.attrArn;
  }

  private visibility(metricName: string): wafv2.CfnWebACL.VisibilityConfigProperty {
    return { cloudWatchMetricsEnabled: true, sampledRequestsEnabled: true, metricName };
  }
}
