import { Duration } from 'aws-cdk-lib';
import { type IMetric, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { EventPattern } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import type { ServiceDefinition } from '../../config/services.ts';
import type { StageSize } from '../../config/stage.ts';
import { errorRate } from '../operations/error-rate.ts';
import { addEventAlarm } from '../operations/event-alarm.ts';
import { OperationalAlarm } from '../operations/operational-alarm.ts';
import type { Operations } from '../operations/operations.ts';

const PERIOD = Duration.minutes(1);
/** Minutes of errors after which a deployment is rolled back: soon, as the new tasks are the likely cause. */
const DEPLOYMENT_PERIODS = 2;
/** Minutes without a healthy task: one more than a task takes to become healthy. */
const NO_TASK_MINUTES = 3;
/** Minutes at the maximum after which it is no longer a peak that passes. */
const MAXIMUM_MINUTES = 15;

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
  /** Tasks that do not. */
  readonly unhealthyTasks: IMetric;
  /** Tasks that scaling asks for. */
  readonly desiredTasks: IMetric;
  /** Tasks that run. */
  readonly runningTasks: IMetric;
  /** Tasks that scaling may ask for at most. */
  readonly maximumTasks: number;
  /** Tasks that ended by themselves or were killed as unhealthy, in five minutes. */
  readonly failedTasks: IMetric;
}

export interface ServiceMonitoring {
  readonly metrics: ServiceMetrics;
  /** Goes off while the service answers with errors; watches the target group, as watching the service would be circular. */
  readonly deploymentAlarm: OperationalAlarm;
}

export interface ServiceMonitoringProps {
  readonly operations: Operations;
  readonly definition: ServiceDefinition;
  readonly size: StageSize['service'];
  readonly service: ecs.FargateService;
  readonly targetGroup: elb.ApplicationTargetGroup;
  readonly loadBalancer: elb.ApplicationLoadBalancer;
}

/** Of ECS, which names a service by its cluster. */
function taskMetric(service: ecs.FargateService, metricName: string, statistic: string) {
  return new Metric({
    // Needs Container Insights on the cluster.
    namespace: 'ECS/ContainerInsights',
    metricName,
    dimensionsMap: {
      ClusterName: service.cluster.clusterName,
      ServiceName: service.serviceName,
    },
    statistic,
    period: PERIOD,
    label: metricName,
  });
}

function serviceMetrics(props: ServiceMonitoringProps): Omit<ServiceMetrics, 'failedTasks'> {
  const { operations, service, targetGroup } = props;
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
  return {
    requests,
    errorRate: errorRate({
      requests,
      errors: [metric('HTTPCode_Target_5XX_Count', Stats.SUM)],
      minimumRequests: operations.stage.alarms.errorRateMinimumRequests,
      period: PERIOD,
    }),
    latency: { p50: latency('p50'), p95: latency('p95'), p99: latency('p99') },
    cpu: service.metricCpuUtilization({ period: PERIOD, statistic: 'Average' }),
    memory: service.metricMemoryUtilization({ period: PERIOD, statistic: 'Average' }),
    // Each of the load balancer's zones counts all tasks, so the most is what the best placed of them sees, and the least the worst.
    healthyTasks: metric('HealthyHostCount', Stats.MAXIMUM, 'Healthy'),
    unhealthyTasks: metric('UnHealthyHostCount', Stats.MINIMUM, 'Unhealthy'),
    maximumTasks: props.size.maximumTasks,
    desiredTasks: taskMetric(service, 'DesiredTaskCount', Stats.MINIMUM),
    runningTasks: taskMetric(service, 'RunningTaskCount', Stats.MINIMUM),
  };
}

/** Watches one service: what it answers, how fast, and the tasks that it runs on. */
export function addServiceAlarms(
  scope: Construct,
  props: ServiceMonitoringProps,
): ServiceMonitoring {
  const { operations } = props;
  const { name } = props.definition;
  const { alarms } = operations.stage;
  const metrics = serviceMetrics(props);
  new OperationalAlarm(scope, 'Latency', {
    operations,
    severity: 'page',
    meaning: `The 95th percentile of the response time of "${name}" has been above ${alarms.latencySeconds} s for 5 minutes.`,
    metric: metrics.latency.p95,
    threshold: alarms.latencySeconds,
    periods: 5,
    ignoreFewSamples: true,
  });
  new OperationalAlarm(scope, 'TailLatency', {
    operations,
    severity: 'ticket',
    meaning: `The 99th percentile of the response time of "${name}" has been above ${alarms.tailLatencySeconds} s for 10 minutes.`,
    metric: metrics.latency.p99,
    threshold: alarms.tailLatencySeconds,
    periods: 10,
    ignoreFewSamples: true,
  });
  addTaskAlarms(scope, props, metrics);
  const deploymentAlarm = new OperationalAlarm(scope, 'DeploymentErrors', {
    operations,
    severity: 'ticket',
    meaning: `"${name}" has answered more than ${alarms.errorRatePercent} % of its requests 5xx for ${DEPLOYMENT_PERIODS} minutes; a deployment in progress is rolled back.`,
    metric: metrics.errorRate,
    threshold: alarms.errorRatePercent,
    periods: DEPLOYMENT_PERIODS,
  });
  const failedTasks = addEventAlarm(scope, 'TaskFailures', {
    operations,
    severity: 'ticket',
    meaning: `A task of "${name}" has ended by itself, was killed as unhealthy, or could not start.`,
    description: `Tasks of ${name} that did not stop because ECS was asked to`,
    pattern: stoppedTasks(props.service),
  });
  return { metrics: { ...metrics, failedTasks }, deploymentAlarm };
}

function addTaskAlarms(
  scope: Construct,
  { operations, definition: { name }, size }: ServiceMonitoringProps,
  metrics: Omit<ServiceMetrics, 'failedTasks'>,
): void {
  const { alarms } = operations.stage;
  const ticket = { operations, severity: 'ticket' } as const;
  new OperationalAlarm(scope, 'Cpu', {
    ...ticket,
    meaning: `The CPU of "${name}" has been above ${alarms.cpuPercent} % for 10 minutes: scaling does not keep up, or is at its maximum.`,
    metric: metrics.cpu,
    threshold: alarms.cpuPercent,
    periods: 10,
  });
  new OperationalAlarm(scope, 'Memory', {
    ...ticket,
    meaning: `The memory of "${name}" has been above ${alarms.memoryPercent} % for 10 minutes; a task that needs more than all of it is killed.`,
    metric: metrics.memory,
    threshold: alarms.memoryPercent,
    periods: 10,
  });
  new OperationalAlarm(scope, 'NoHealthyTasks', {
    operations,
    severity: 'page',
    meaning: `No task of "${name}" has passed its health check for ${NO_TASK_MINUTES} minutes.`,
    metric: metrics.healthyTasks,
    threshold: 1,
    goesOff: 'below',
    periods: NO_TASK_MINUTES,
    // Without any target there is no count of the healthy ones.
    missingData: 'breaching',
  });
  new OperationalAlarm(scope, 'UnhealthyTasks', {
    ...ticket,
    meaning: `A task of "${name}" has failed its health check for 5 minutes without having been replaced.`,
    metric: metrics.unhealthyTasks,
    threshold: 0,
    periods: 5,
  });
  new OperationalAlarm(scope, 'AtMaximum', {
    ...ticket,
    meaning: `"${name}" has had all of the ${size.maximumTasks} tasks that scaling may give it for ${MAXIMUM_MINUTES} minutes.`,
    metric: metrics.desiredTasks,
    threshold: size.maximumTasks,
    goesOff: 'at-or-above',
    periods: MAXIMUM_MINUTES,
  });
}

/**
 * Tasks that stopped for a reason of their own. Those that scaling, a deployment or the end of Spot capacity stopped are not among them
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html).
 */
function stoppedTasks(service: ecs.FargateService): EventPattern {
  return {
    source: ['aws.ecs'],
    detailType: ['ECS Task State Change'],
    detail: {
      clusterArn: [service.cluster.clusterArn],
      group: [`service:${service.serviceName}`],
      lastStatus: ['STOPPED'],
      $or: [
        { stopCode: ['EssentialContainerExited', 'TaskFailedToStart'] },
        { stoppedReason: [{ prefix: 'Task failed' }] },
      ],
    },
  };
}
