import { Duration } from 'aws-cdk-lib';
import type * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { OperationalAlarm } from '../operations/operational-alarm.ts';
import type { Operations } from '../operations/operations.ts';

const PERIOD = Duration.minutes(1);
/** The only region that has the metrics of CloudFront, and of web ACLs for it. */
const METRIC_REGION = 'us-east-1';
/** Blocks are a surge when they last: one scanner's burst is what the firewall is for. */
const SURGE_MINUTES = 5;

/** What a dashboard shows of CloudFront. */
export interface ContentDeliveryMetrics {
  /** Requests per minute. */
  readonly requests: IMetric;
  /** Percent of requests answered 4xx. */
  readonly clientErrorRate: IMetric;
  /** Percent of requests answered 5xx. */
  readonly errorRate: IMetric;
  /** Bytes to clients per minute: with requests, what CloudFront is paid by. */
  readonly bytesDownloaded: IMetric;
}

/** What a dashboard shows of the firewall. */
export interface WebFirewallMetrics {
  /** Requests per minute that a rule blocked. */
  readonly blocked: IMetric;
  /** Requests per minute that no rule did. */
  readonly allowed: IMetric;
}

export interface EdgeMetrics {
  readonly delivery: ContentDeliveryMetrics;
  readonly firewall: WebFirewallMetrics;
}

export function contentDeliveryMetrics(
  distribution: cloudfront.IDistribution,
): ContentDeliveryMetrics {
  const metric = (metricName: string, statistic: string, label: string) =>
    new Metric({
      namespace: 'AWS/CloudFront',
      metricName,
      dimensionsMap: { DistributionId: distribution.distributionId, Region: 'Global' },
      statistic,
      period: PERIOD,
      label,
      region: METRIC_REGION,
    });
  return {
    requests: metric('Requests', Stats.SUM, 'Requests'),
    // CloudFront's rates are percentages already: their average is a rate, unlike that of a count.
    clientErrorRate: metric('4xxErrorRate', Stats.AVERAGE, '4xx'),
    errorRate: metric('5xxErrorRate', Stats.AVERAGE, '5xx'),
    bytesDownloaded: metric('BytesDownloaded', Stats.SUM, 'Bytes to clients'),
  };
}

export function addContentDeliveryAlarms(
  scope: Construct,
  props: { readonly operations: Operations; readonly metrics: ContentDeliveryMetrics },
): void {
  const { operations, metrics } = props;
  const { errorRatePercent, errorRateMinimumRequests } = operations.stage.alarms;
  new OperationalAlarm(scope, 'ErrorRate', {
    operations,
    severity: 'page',
    meaning: `CloudFront has answered more than ${errorRatePercent} % of at least ${errorRateMinimumRequests} requests a minute 5xx for 5 minutes.`,
    metric: new MathExpression({
      label: 'Error rate, percent',
      expression: `IF(requests >= ${errorRateMinimumRequests}, rate, 0)`,
      usingMetrics: { requests: metrics.requests, rate: metrics.errorRate },
      period: PERIOD,
    }),
    threshold: errorRatePercent,
    periods: 5,
  });
}

/** @param webAclMetricName - what the web ACL's visibility configuration calls it, which is its dimension in CloudWatch. */
export function webFirewallMetrics(webAclMetricName: string): WebFirewallMetrics {
  const metric = (metricName: string, label: string) =>
    new Metric({
      namespace: 'AWS/WAFV2',
      metricName,
      // A web ACL for CloudFront has no Region among its dimensions; ALL is the sum of its rules.
      dimensionsMap: { WebACL: webAclMetricName, Rule: 'ALL' },
      statistic: Stats.SUM,
      period: PERIOD,
      label,
      region: METRIC_REGION,
    });
  return {
    blocked: metric('BlockedRequests', 'Blocked'),
    allowed: metric('AllowedRequests', 'Allowed'),
  };
}

export function addWebFirewallAlarms(
  scope: Construct,
  props: { readonly operations: Operations; readonly metrics: WebFirewallMetrics },
): void {
  const { operations, metrics } = props;
  const { blockedRequestsPerMinute } = operations.stage.alarms;
  new OperationalAlarm(scope, 'BlockSurge', {
    operations,
    severity: 'ticket',
    meaning: `The firewall has blocked more than ${blockedRequestsPerMinute} requests a minute for ${SURGE_MINUTES} minutes: an attack, or a rule that takes users for one.`,
    metric: metrics.blocked,
    threshold: blockedRequestsPerMinute,
    periods: SURGE_MINUTES,
  });
}
