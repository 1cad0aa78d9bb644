import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import { DEPLOYMENT_FACTOR } from '../../capacity/limits/connection-budget.ts';
import { timeouts } from '../../config/timeouts.ts';
import { WorkloadSecurityGroup } from '../network/workload-security-group.ts';
import { addServiceAlarms, type ServiceMetrics } from './container-service-monitoring.ts';
import type { ContainerServiceProps } from './container-service-props.ts';
import { scaleService } from './service-scaling.ts';
import { ServiceSecret } from './service-secret.ts';
import { createTaskDefinition, START_SECONDS } from './service-task.ts';

const PERCENT = 100;

/** A service of the system: tasks on Fargate (ARM) behind the load balancer, as many as the load asks for. */
export class ContainerService extends Construct {
  readonly metrics: ServiceMetrics;

  constructor(scope: Construct, id: string, props: ContainerServiceProps) {
    super(scope, id);
    const { definition, operations, database, cache, size } = props;
    const secret = new ServiceSecret(this, 'ServiceSecret', props);
    const taskDefinition = createTaskDefinition(this, { ...props, secret });
    const securityGroup = new WorkloadSecurityGroup(this, 'SecurityGroup', {
      vpc: props.cluster.vpc,
      description: definition.description,
    });
    const service = new ecs.FargateService(this, 'Service', {
      cluster: props.cluster,
      taskDefinition,
      // The smallest number of tasks is never on capacity that AWS may take back; of those beyond it, the stage's share is.
      capacityProviderStrategies: [
        {
          capacityProvider: 'FARGATE',
          base: size.minimumTasks,
          weight: PERCENT - size.spotPercent,
        },
        ...(size.spotPercent === 0
          ? []
          : [{ capacityProvider: 'FARGATE_SPOT', weight: size.spotPercent }]),
      ],
      // No desiredCount: scaling sets it, and a template that names one resets it with every deployment.
      minHealthyPercent: PERCENT,
      maxHealthyPercent: DEPLOYMENT_FACTOR * PERCENT,
      circuitBreaker: { rollback: true },
      availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.ENABLED,
      healthCheckGracePeriod: Duration.seconds(START_SECONDS),
      assignPublicIp: false,
      enableExecuteCommand: operations.stage.policy.executeCommand ?? false,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [securityGroup],
      enableECSManagedTags: true,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
    });
    if (definition.databaseUser !== undefined) {
      database.grantLogin(taskDefinition.taskRole, service, definition.databaseUser);
    }
    const executionRole = taskDefinition.obtainExecutionRole();
    cache.grantLogin(executionRole, service);
    secret.grantRead(executionRole);
    for (const worker of props.workers) worker.grantSend(taskDefinition.taskRole);

    const targetGroup = this.createTargetGroup(props, service);
    scaleService(this, {
      cluster: props.cluster,
      service,
      targetGroup,
      loadBalancer: props.loadBalancer.loadBalancer,
      size,
    });
    const monitoring = addServiceAlarms(this, {
      operations,
      service,
      targetGroup,
      definition,
      size,
      loadBalancer: props.loadBalancer.loadBalancer,
    });
    this.metrics = monitoring.metrics;
    // By name: a reference is what the CDK warns of, lest the alarm watch the service and each wait for the other.
    service.enableDeploymentAlarms([monitoring.deploymentAlarm.name], {
      behavior: ecs.AlarmBehavior.ROLLBACK_ON_ALARM,
    });
    // What a task needs to start has to be there before one does, or the circuit breaker counts it as failed.
    service.node.addDependency(monitoring.deploymentAlarm, securityGroup, executionRole);
  }

  private createTargetGroup(
    props: ContainerServiceProps,
    service: ecs.FargateService,
  ): elb.ApplicationTargetGroup {
    const { definition, loadBalancer } = props;
    const targetGroup = new elb.ApplicationTargetGroup(this, 'TargetGroup', {
      vpc: props.cluster.vpc,
      targetType: elb.TargetType.IP,
      protocol: elb.ApplicationProtocol.HTTP,
      port: definition.port,
      targets: [service],
      loadBalancingAlgorithmType:
        elb.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      deregistrationDelay: Duration.seconds(timeouts.deregistrationDelay),
      healthCheck: {
        path: definition.readinessPath,
        interval: Duration.seconds(timeouts.healthCheckInterval),
        timeout: Duration.seconds(timeouts.healthCheckInterval - 1),
        healthyThresholdCount: 2,
        unhealthyThresholdCount: timeouts.healthCheckFailures,
      },
    });
    const rule = new elb.ApplicationListenerRule(this, 'Rule', {
      listener: loadBalancer.listener,
      priority: definition.priority,
      conditions: [elb.ListenerCondition.pathPatterns([...definition.pathPatterns])],
      action: elb.ListenerAction.forward([targetGroup]),
    });
    // A service cannot be made with a target group that no load balancer uses yet.
    service.node.addDependency(rule);
    return targetGroup;
  }
}
