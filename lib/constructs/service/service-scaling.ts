import { Duration } from 'aws-cdk-lib';
import * as scaling from 'aws-cdk-lib/aws-applicationautoscaling';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { ApplicationScalingAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type * as ecs from 'aws-cdk-lib/aws-ecs';
import type * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Construct } from 'constructs';
import type { StageSize } from '../../config/stage.ts';
import { serviceLinkedScalingRole } from '../shared/service-linked-role.ts';

/** Steps: how much CPU for how many minutes changes the number of tasks by how many. */
const STEP_OUT = { cpuPercent: 70, minutes: 5, tasks: 3 } as const;
const STEP_IN = { cpuPercent: 30, minutes: 15, tasks: -1 } as const;
/** After a step, the next one waits until its effect can be seen. */
const STEP_COOLDOWN = Duration.seconds(300);
/** A new task takes a minute to take its share; another asked for within it would be for the same load. */
const OUT_COOLDOWN = Duration.seconds(60);
/** A lull is rarely over in a minute, and a task too many costs less than one too few. */
const IN_COOLDOWN = Duration.seconds(300);

export interface ServiceScalingProps {
  readonly cluster: ecs.ICluster;
  readonly service: ecs.FargateService;
  readonly targetGroup: elb.ApplicationTargetGroup;
  readonly loadBalancer: elb.ApplicationLoadBalancer;
  readonly size: StageSize['service'];
}

/**
 * Decides how many tasks there are: by requests per task, by CPU (towards a target or in steps, as the stage chooses), and in advance of
 * the stage's events. Whatever of it takes a task away, no request is cut: ECS takes the task out of the load balancer, waits for the
 * deregistration delay, and only then tells it to stop, which it does after its last answer (`checkTimeouts` keeps the order).
 */
export function scaleService(scope: Construct, props: ServiceScalingProps): void {
  const { cluster, service, size } = props;
  const target = new scaling.ScalableTarget(scope, 'TaskCount', {
    serviceNamespace: scaling.ServiceNamespace.ECS,
    scalableDimension: 'ecs:service:DesiredCount',
    resourceId: `service/${cluster.clusterName}/${service.serviceName}`,
    minCapacity: size.minimumTasks,
    maxCapacity: size.maximumTasks,
    role: serviceLinkedScalingRole(scope, 'ecs', 'ECSService'),
  });
  target.node.addDependency(service);
  target.scaleToTrackMetric('Requests', {
    predefinedMetric: scaling.PredefinedMetric.ALB_REQUEST_COUNT_PER_TARGET,
    resourceLabel: `${props.loadBalancer.loadBalancerFullName}/${props.targetGroup.targetGroupFullName}`,
    targetValue: size.requestsPerTaskPerMinute,
    scaleOutCooldown: OUT_COOLDOWN,
    scaleInCooldown: IN_COOLDOWN,
    // Where there are steps, the step in is the one that takes tasks away.
    disableScaleIn: size.stepScaling,
  });
  if (size.stepScaling) scaleInSteps(scope, service, target);
  else {
    target.scaleToTrackMetric('Cpu', {
      predefinedMetric: scaling.PredefinedMetric.ECS_SERVICE_AVERAGE_CPU_UTILIZATION,
      targetValue: size.cpuTargetPercent,
      scaleOutCooldown: OUT_COOLDOWN,
      scaleInCooldown: IN_COOLDOWN,
    });
  }
  for (const event of size.events) {
    target.scaleOnSchedule(`Before-${event.name}`, {
      schedule: scaling.Schedule.at(new Date(event.from)),
      minCapacity: event.minimumTasks,
    });
    target.scaleOnSchedule(`After-${event.name}`, {
      schedule: scaling.Schedule.at(new Date(event.until)),
      minCapacity: size.minimumTasks,
    });
  }
}

function scaleInSteps(
  scope: Construct,
  service: ecs.FargateService,
  target: scaling.ScalableTarget,
): void {
  const step = (
    id: string,
    { cpuPercent, minutes, tasks }: { cpuPercent: number; minutes: number; tasks: number },
  ): void => {
    const action = new scaling.StepScalingAction(scope, `${id}Step`, {
      scalingTarget: target,
      adjustmentType: scaling.AdjustmentType.CHANGE_IN_CAPACITY,
      metricAggregationType: scaling.MetricAggregationType.AVERAGE,
      cooldown: STEP_COOLDOWN,
    });
    action.addAdjustment({
      adjustment: tasks,
      ...(tasks > 0 ? { lowerBound: 0 } : { upperBound: 0 }),
    });
    // Not for people: it tells scaling, nobody else, and goes off every day.
    const alarm = new cloudwatch.Alarm(scope, `${id}Alarm`, {
      alarmName: `${scope.node.path}/${id}`,
      alarmDescription: `Changes the number of tasks by ${tasks}: their CPU has been ${tasks > 0 ? 'above' : 'below'} ${cpuPercent} % for ${minutes} minutes.`,
      metric: service.metricCpuUtilization({
        period: Duration.minutes(1),
        statistic: cloudwatch.Stats.AVERAGE,
      }),
      threshold: cpuPercent,
      comparisonOperator:
        tasks > 0
          ? cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
          : cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: minutes,
      datapointsToAlarm: minutes,
      treatMissingData: cloudwatch.TreatMissingData.IGNORE,
    });
    alarm.addAlarmAction(new ApplicationScalingAction(action));
  };
  step('ScaleOut', STEP_OUT);
  step('ScaleIn', STEP_IN);
}
