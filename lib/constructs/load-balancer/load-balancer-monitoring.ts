import { Duration } from 'aws-cdk-lib';
import { type IMetric, type MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Construct } from 'constructs';
import { burnRates } from '../operations/burn-rate.ts';
import { BurnRateAlarm } from '../operations/burn-rate-alarm.ts';
import { errorRate } from '../operations/error-rate.ts';
import { OperationalAlarm } from '../operations/operational-alarm.ts';
import type { Operations } from '../operations/operations.ts';

const PERIOD = Duration.minutes(1);
const DAY = Duration.days(1);
/** Rejected connections come in bursts while the load balancer grows: some minutes of them, in a row or not, are more than that. */
const REJECTED_MINUTES = 3;

/** What a dashboard shows of the load balancer, which is what the objective is measured by. */
export interface LoadBalancerMetrics {
  /** Requests per minute. */
  readonly requests: IMetric;
  /** Percent of requests answered 5xx, by the services or in their place. */
  readonly errorRate: MathExpression;
  /** The same over a day. */
  readonly errorRateOfDay: IMetric;
  /** Per minute. */
  readonly rejectedConnections: IMetric;
  /** Per minute: a target did not take the connection. */
  readonly targetConnectionErrors: IMetric;
  /** Load balancer capacity units per hour: what it is paid by. */
  readonly consumedUnits: IMetric;
}

export function loadBalancerMetrics(
  loadBalancer: elb.ApplicationLoadBalancer,
  operations: Operations,
): LoadBalancerMetrics & { readonly errorRateOver: (period: Duration) => MathExpression } {
  const metric = (metricName: string, period = PERIOD, statistic: string = Stats.SUM) =>
    new Metric({
      namespace: 'AWS/ApplicationELB',
      metricName,
      dimensionsMap: { LoadBalancer: loadBalancer.loadBalancerFullName },
      statistic,
      period,
    });
  const errorRateOver = (period: Duration) =>
    errorRate({
      requests: metric('RequestCount', period),
      errors: [
        metric('HTTPCode_Target_5XX_Count', period),
        metric('HTTPCode_ELB_5XX_Count', period),
      ],
      minimumRequests: operations.stage.alarms.errorRateMinimumRequests,
      period,
    });
  return {
    requests: metric('RequestCount'),
    errorRate: errorRateOver(PERIOD),
    errorRateOfDay: errorRateOver(DAY),
    rejectedConnections: metric('RejectedConnectionCount'),
    targetConnectionErrors: metric('TargetConnectionErrorCount'),
    consumedUnits: metric('ConsumedLCUs', Duration.hours(1)),
    errorRateOver,
  };
}

/** Watches what users get: errors of the minute, and errors as a share of what the stage's objective allows in a month. */
export function addLoadBalancerAlarms(
  scope: Construct,
  props: {
    readonly operations: Operations;
    readonly loadBalancer: elb.ApplicationLoadBalancer;
  },
): LoadBalancerMetrics {
  const { operations } = props;
  const { errorRatePercent, errorRateMinimumRequests } = operations.stage.alarms;
  const metrics = loadBalancerMetrics(props.loadBalancer, operations);
  new OperationalAlarm(scope, 'ErrorRate', {
    operations,
    severity: 'page',
    meaning: `More than ${errorRatePercent} % of at least ${errorRateMinimumRequests} requests a minute have been answered 5xx for 5 minutes.`,
    metric: metrics.errorRate,
    threshold: errorRatePercent,
    periods: 5,
  });
  new OperationalAlarm(scope, 'RejectedConnections', {
    operations,
    severity: 'ticket',
    meaning:
      'The load balancer has refused connections in 3 of 5 minutes, as it had as many as it can keep.',
    metric: metrics.rejectedConnections,
    threshold: 0,
    periods: 5,
    datapoints: REJECTED_MINUTES,
  });
  const burn = { operations, errorRate: metrics.errorRateOver };
  new BurnRateAlarm(scope, 'FastBurn', { ...burn, severity: 'page', burnRate: burnRates.fast });
  new BurnRateAlarm(scope, 'SlowBurn', { ...burn, severity: 'page', burnRate: burnRates.slow });
  new BurnRateAlarm(scope, 'LastingBurn', {
    ...burn,
    severity: 'ticket',
    burnRate: burnRates.lasting,
  });
  return metrics;
}
