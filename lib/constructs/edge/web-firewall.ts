import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as wafv2 from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import type { Operations } from '../operations/operations.ts';
import { EncryptedLogGroup } from '../shared/encrypted-log-group.ts';
import {
  addWebFirewallAlarms,
  type WebFirewallMetrics,
  webFirewallMetrics,
} from './edge-monitoring.ts';
import { firewallProblems } from './edge-problems.ts';
import { firewallRules } from './web-firewall-rules.ts';

/** WAF logs only to groups whose names begin so. */
const LOG_GROUP_PREFIX = 'aws-waf-logs-';
/** Headers that hold credentials: the log says that they were there, not what they are. */
const secretHeaders = ['authorization', 'x-api-key', 'cookie'];

export interface WebFirewallProps {
  readonly operations: Operations;
}

/** The web ACL in front of CloudFront, which has to be in us-east-1. Its rules block; what they block is logged. */
export class WebFirewall extends Construct {
  readonly webAclArn: string;
  /** Name under which CloudWatch has its metrics. */
  readonly metricName: string;
  readonly metrics: WebFirewallMetrics;

  constructor(scope: Construct, id: string, props: WebFirewallProps) {
    super(scope, id);
    const { stage } = props.operations;
    this.metricName = `headroom-${stage.name}`;
    const acl = new wafv2.CfnWebACL(this, 'WebAcl', {
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: {
        cloudWatchMetricsEnabled: true,
        sampledRequestsEnabled: true,
        metricName: this.metricName,
      },
      // Without it, the rules would look into the first 16 KiB only, and the rest of a body would pass unseen.
      associationConfig: {
        requestBody: { CLOUDFRONT: { defaultSizeInspectionLimit: 'KB_64' } },
      },
      customResponseBodies: Object.fromEntries(
        Object.entries(firewallProblems).map(([name, problem]) => [
          name,
          { contentType: 'APPLICATION_JSON', content: JSON.stringify(problem) },
        ]),
      ),
      rules: firewallRules(stage.size.edge),
    });
    this.webAclArn = acl.attrArn;
    this.logBlocks(acl, props.operations);
    this.metrics = webFirewallMetrics(this.metricName);
    addWebFirewallAlarms(this, { operations: props.operations, metrics: this.metrics });
  }

  /** What passes is in CloudFront's access log already. */
  private logBlocks(acl: wafv2.CfnWebACL, operations: Operations): void {
    const logGroup = new EncryptedLogGroup(this, 'LogGroup', {
      operations,
      logGroupName: `${LOG_GROUP_PREFIX}${this.metricName}`,
    });
    const logging = new wafv2.CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      // Not logGroupArn, which ends in ":*".
      logDestinationConfigs: [
        Stack.of(this).formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: `${LOG_GROUP_PREFIX}${this.metricName}`,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      // Queries hold names that people search for; CloudFront's log leaves them out, too.
      redactedFields: [
        { queryString: {} },
        ...secretHeaders.map((name) => ({ singleHeader: { Name: name } })),
      ],
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          {
            Behavior: 'KEEP',
            Requirement: 'MEETS_ANY',
            Conditions: [{ ActionCondition: { Action: 'BLOCK' } }],
          },
        ],
      },
    });
    logging.node.addDependency(logGroup);
  }
}
