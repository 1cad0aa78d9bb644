import { Duration, Size, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { DEPLOYMENT_FACTOR } from '../capacity/connection-budget.ts';
import type { ServiceDefinition } from '../config/services.ts';
import { timeouts } from '../config/timeouts.ts';
import type { CacheCluster } from './cache-cluster.ts';
import { addServiceAlarms, type ServiceMetrics } from './container-service-monitoring.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import type { Operations } from './operations.ts';
import type { PostgresCluster } from './postgres-cluster.ts';
import type { PrivateLoadBalancer } from './private-load-balancer.ts';
import type { QueueWorker } from './queue-worker.ts';
import { WorkloadSecurityGroup } from './workload-security-group.ts';

const MILLISECONDS = 1_000;
const PERCENT = 100;
/** Of the log driver: what is written while CloudWatch Logs is slow is kept up to this size, then dropped; the service never waits. */
const LOG_BUFFER = Size.mebibytes(25);
/** User and group that the container runs as; the image has them, and no files that belong to them. */
const CONTAINER_USER = '65532:65532';
/** Hops that append to X-Forwarded-For: CloudFront and the load balancer. */
const TRUSTED_PROXY_HOPS = 2;
/** Characters of SERVICE_SECRET, of letters and digits: more than 256 bits. */
const SECRET_LENGTH = 64;
/** How long a new task may take to become healthy before failing checks count, in seconds. */
const START_SECONDS = 30;

export interface ContainerServiceProps {
  readonly operations: Operations;
  readonly definition: ServiceDefinition;
  readonly image: ecs.ContainerImage;
  readonly cluster: ecs.ICluster;
  readonly loadBalancer: PrivateLoadBalancer;
  readonly database: PostgresCluster;
  readonly cache: CacheCluster;
  /** Workers that it sends messages to. */
  readonly workers: readonly QueueWorker[];
}

/** A service of the system: tasks on Fargate (ARM) behind the load balancer, as many as the load asks for. */
export class ContainerService extends Construct {
  readonly metrics: ServiceMetrics;

  constructor(scope: Construct, id: string, props: ContainerServiceProps) {
    super(scope, id);
    const { definition, operations, database, cache } = props;
    const { minimumTasks, maximumTasks } = operations.stage.size.service;
    const taskDefinition = this.createTaskDefinition(props);
    const securityGroup = new WorkloadSecurityGroup(this, 'SecurityGroup', {
      vpc: props.cluster.vpc,
      description: definition.description,
    });
    const service = new ecs.FargateService(this, 'Service', {
      cluster: props.cluster,
      taskDefinition,
      // No desiredCount: scaling sets it, and a template that names one resets it with every deployment.
      minHealthyPercent: PERCENT,
      maxHealthyPercent: DEPLOYMENT_FACTOR * PERCENT,
      circuitBreaker: { rollback: true },
      availabilityZoneRebalancing: ecs.AvailabilityZoneRebalancing.ENABLED,
      healthCheckGracePeriod: Duration.seconds(START_SECONDS),
      assignPublicIp: false,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [securityGroup],
      enableECSManagedTags: true,
      propagateTags: ecs.PropagatedTagSource.SERVICE,
    });
    database.grantLogin(taskDefinition.taskRole, service, definition.databaseUser);
    const executionRole = taskDefinition.obtainExecutionRole();
    cache.grantLogin(executionRole, service);
    for (const worker of props.workers) worker.grantSend(taskDefinition.taskRole);

    const targetGroup = this.createTargetGroup(props, service);
    const scaling = service.autoScaleTaskCount({
      minCapacity: minimumTasks,
      maxCapacity: maximumTasks,
    });
    scaling.scaleOnCpuUtilization('Cpu', {
      targetUtilizationPercent: operations.stage.size.service.cpuTargetPercent,
    });
    scaling.scaleOnRequestCount('Requests', {
      requestsPerTarget: operations.stage.size.service.requestsPerTaskPerMinute,
      targetGroup,
    });
    const monitoring = addServiceAlarms(this, {
      operations,
      service,
      targetGroup,
      definition,
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

  private createTaskDefinition(props: ContainerServiceProps): ecs.FargateTaskDefinition {
    const { definition, operations } = props;
    const taskDefinition = new ecs.FargateTaskDefinition(this, 'Task', {
      cpu: operations.stage.size.service.cpuUnits,
      memoryLimitMiB: operations.stage.size.service.memoryMebibytes,
      runtimePlatform: {
        cpuArchitecture: ecs.CpuArchitecture.ARM64,
        operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
      },
    });
    const liveness = `http://127.0.0.1:${definition.port}${definition.livenessPath}`;
    taskDefinition.addContainer('Container', {
      containerName: definition.name,
      image: props.image,
      portMappings: [{ containerPort: definition.port }],
      environment: this.environment(props),
      secrets: {
        ...props.cache.containerSecrets(this),
        SERVICE_SECRET: ecs.Secret.fromSecretsManager(this.createServiceSecret(props)),
      },
      user: CONTAINER_USER,
      readonlyRootFilesystem: true,
      // Reaps what the process leaves behind and passes SIGTERM on, which PID 1 otherwise ignores.
      linuxParameters: new ecs.LinuxParameters(this, 'LinuxParameters', {
        initProcessEnabled: true,
      }),
      stopTimeout: Duration.seconds(timeouts.containerStop),
      healthCheck: {
        command: [
          'CMD',
          'node',
          '-e',
          `fetch('${liveness}').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))`,
        ],
        startPeriod: Duration.seconds(START_SECONDS),
      },
      logging: ecs.LogDrivers.awsLogs({
        logGroup: new EncryptedLogGroup(this, 'LogGroup', props),
        streamPrefix: definition.name,
        mode: ecs.AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: LOG_BUFFER,
      }),
    });
    return taskDefinition;
  }

  /** What the service derives its keys from: of cursors, digests and access tokens. */
  private createServiceSecret({
    definition,
    operations,
  }: ContainerServiceProps): secretsmanager.ISecret {
    const secret = new secretsmanager.Secret(this, 'ServiceSecret', {
      description: `Keys of ${definition.name} in stage ${operations.stage.name} are derived from it.`,
      generateSecretString: { passwordLength: SECRET_LENGTH, excludePunctuation: true },
    });
    const reason =
      'Changing it ends all logins and lists in progress, so a person decides when; access tokens have a rotation of their own (ACCESS_TOKEN_KEYS).';
    Validations.of(secret).acknowledge(
      { id: 'AwsSolutions-SMG4', reason },
      { id: 'NIST.800.53.R5-SecretsManagerRotationEnabled', reason },
    );
    // aws-cdk-lib's classes don't fit its own interfaces under exactOptionalPropertyTypes.
    return secret as secretsmanager.ISecret;
  }

  private environment(props: ContainerServiceProps): Record<string, string> {
    const { definition, operations, database, cache } = props;
    const readers = database.readerUrl(definition.databaseUser);
    return {
      STAGE: operations.stage.name,
      AWS_REGION: Stack.of(this).region,
      HOST: '0.0.0.0',
      PORT: String(definition.port),
      DATABASE_URL: database.writerUrl(definition.databaseUser),
      ...(readers === undefined ? {} : { DATABASE_READER_URLS: readers }),
      DATABASE_AUTHENTICATION: 'iam',
      DATABASE_TLS: 'verify',
      DATABASE_POOL_SIZE: String(operations.stage.size.service.databasePoolSize),
      DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: String(timeouts.databaseStatement * MILLISECONDS),
      REDIS_URL: cache.url,
      SESSION_REDIS_URL: cache.sessionUrl,
      ACCESS_TOKEN_AUDIENCE: `headroom-${operations.stage.name}`,
      TRUSTED_PROXY_HOPS: String(TRUSTED_PROXY_HOPS),
      RATE_LIMIT_EXPECTED_PROCESSES: String(operations.stage.size.service.minimumTasks),
      KEEP_ALIVE_TIMEOUT_MILLISECONDS: String(timeouts.serviceKeepAlive * MILLISECONDS),
      SHUTDOWN_DELAY_MILLISECONDS: String(timeouts.shutdownDelay * MILLISECONDS),
      SHUTDOWN_TIMEOUT_MILLISECONDS: String(timeouts.shutdownTimeout * MILLISECONDS),
      ...Object.assign({}, ...props.workers.map((worker) => worker.environment)),
    };
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
