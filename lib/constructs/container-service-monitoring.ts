import { Duration } from 'aws-cdk-lib';
import { type IMetric, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Construct } from 'constructs';
import type { ServiceDefinition } from '../config/services.ts';
import { errorRate } from './error-rate.ts';
import { OperationalAlarm } from './operational-alarm.ts';
import type { Operations } from './operations.ts';

const PERIOD = Duration.minutes(1);
/** Minutes of errors after which a deployment is rolled back: soon, as the new tasks are the likely cause. */
const DEPLOYMENT_PERIODS = 2;

/** What a dashboard shows of a service. */
export interface ServiceMetrics {
  /** Requests per minute. */
  readonly requests: IMetric;
  /** Of the service's answers, the percent that are 5xx. */
  readonly errorRate: IMetric;
  /** Seconds, as the load balancer measures them. */
  readonly latency: { readonly p50: IMetric; readonly p95: IMetric; readonly p99: IMetric };
  /** Percent, average of the tasks. */
  readonly cpu: IMetric;
  /** Percent, average of the tasks. */
  readonly memory: IMetric;
  /** Tasks that pass their health check. */
  readonly healthyTasks: IMetric;
}

export interface ServiceMonitoring {
  readonly metrics: ServiceMetrics;
  /** Goes off while the service answers with errors; watches the target group, as watching the service would be circular. */
  readonly deploymentAlarm: OperationalAlarm;
}

export function addServiceAlarms(
  scope: Construct,
  props: {
    readonly operations: Operations;
    readonly definition: ServiceDefinition;
    readonly service: ecs.FargateService;
    readonly targetGroup: elb.ApplicationTargetGroup;
    readonly loadBalancer: elb.ApplicationLoadBalancer;
  },
): ServiceMonitoring {
  const { operations, service, targetGroup } = props;
  const { name } = props.definition;
  const { alarms } = operations.stage;
  // Not targetGroup.metrics: it splits the load balancer's name from an ARN, which no other stack can refer to.
  const metric = (metricName: string, statistic: string, label = metricName) =>
    new Metric({
      namespace: 'AWS/ApplicationELB',
      metricName,
      dimensionsMap: {
        LoadBalancer: props.loadBalancer.loadBalancerFullName,
        TargetGroup: targetGroup.targetGroupFullName,
      },
      statistic,
      period: PERIOD,
      label,
    });
  const latency = (statistic: string) => metric('TargetResponseTime', statistic, statistic);
  const requests = metric('RequestCount', Stats.SUM, 'Requests');
  const metrics: ServiceMetrics = {
    requests,
    errorRate: errorRate({
      requests,
      errors: [metric('HTTPCode_Target_5XX_Count', Stats.SUM)],
      minimumRequests: alarms.errorRateMinimumRequests,
      period: PERIOD,
    }),
    latency: { p50: latency('p50'), p95: latency('p95'), p99: latency('p99') },
    cpu: service.metricCpuUtilization({ period: PERIOD, statistic: 'Average' }),
    memory: service.metricMemoryUtilization({ period: PERIOD, statistic: 'Average' }),
    healthyTasks: metric('HealthyHostCount', Stats.MINIMUM, 'Healthy tasks'),
  };
  new OperationalAlarm(scope, 'Latency', {
    operations,
    severity: 'page',
    meaning: `The 95th percentile of the response time of "${name}" has been above ${alarms.latencySeconds} s for 5 minutes.`,
    metric: metrics.latency.p95,
    threshold: alarms.latencySeconds,
    periods: 5,
    ignoreFewSamples: true,
  });
  new OperationalAlarm(scope, 'Cpu', {
    operations,
    severity: 'ticket',
    meaning: `The CPU of "${name}" has been above ${alarms.cpuPercent} % for 10 minutes: scaling does not keep up, or is at its maximum.`,
    metric: metrics.cpu,
    threshold: alarms.cpuPercent,
    periods: 10,
  });
  new OperationalAlarm(scope, 'UnhealthyTasks', {
    operations,
    severity: 'ticket',
    meaning: `A task of "${name}" has failed its health check for 5 minutes without having been replaced.`,
    metric: metric('UnHealthyHostCount', Stats.MINIMUM),
    threshold: 0,
    periods: 5,
  });
  const deploymentAlarm = new OperationalAlarm(scope, 'DeploymentErrors', {
    operations,
    severity: 'ticket',
    meaning: `"${name}" has answered more than ${alarms.errorRatePercent} % of its requests 5xx for ${DEPLOYMENT_PERIODS} minutes; a deployment in progress is rolled back.`,
    metric: metrics.errorRate,
    threshold: alarms.errorRatePercent,
    periods: DEPLOYMENT_PERIODS,
  });
  return { metrics, deploymentAlarm };
}
