import { Duration, Size, Validations } from 'aws-cdk-lib';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { timeouts } from '../../config/timeouts.ts';
import { EncryptedLogGroup } from '../shared/encrypted-log-group.ts';
import { existingSecret } from '../shared/existing-secret.ts';
import { addWritableFolders } from '../shared/writable-folders.ts';
import type { ContainerServiceProps } from './container-service-props.ts';
import { serviceEnvironment } from './service-environment.ts';
import type { ServiceSecret } from './service-secret.ts';
import { addTelemetryCollector } from './telemetry-collector.ts';

/** Of the log driver: what is written while CloudWatch Logs is slow is kept up to this size, then dropped; the service never waits. */
const LOG_BUFFER = Size.mebibytes(25);
/** User and group that the container runs as; the image has them, and no files that belong to them. */
const CONTAINER_USER = '65532:65532';
/** How long a new task may take to become healthy before failing checks count, in seconds. */
export const START_SECONDS = 30;

/**
 * What a task is: a container on ARM that runs as nobody, with a read-only root and one folder to write to; and, where the stage sends telemetry
 * somewhere, a collector beside it.
 */
export function createTaskDefinition(
  scope: Construct,
  props: ContainerServiceProps & { readonly secret: ServiceSecret },
): ecs.FargateTaskDefinition {
  const { definition, cache, operations, secret, size } = props;
  const { accessTokenKeysSecretArn, executeCommand = false, telemetry } = operations.stage.policy;
  const taskDefinition = new ecs.FargateTaskDefinition(scope, 'Task', {
    cpu: size.cpuUnits,
    memoryLimitMiB: size.memoryMebibytes,
    runtimePlatform: {
      cpuArchitecture: ecs.CpuArchitecture.ARM64,
      operatingSystemFamily: ecs.OperatingSystemFamily.LINUX,
    },
  });
  const liveness = `http://127.0.0.1:${definition.port}${definition.livenessPath}`;
  const logGroup = new EncryptedLogGroup(scope, 'LogGroup', props);
  const logging = (streamPrefix: string): ecs.LogDriver =>
    ecs.LogDrivers.awsLogs({
      logGroup,
      streamPrefix,
      mode: ecs.AwsLogDriverMode.NON_BLOCKING,
      maxBufferSize: LOG_BUFFER,
    });
  const container = taskDefinition.addContainer('Container', {
    containerName: definition.name,
    image: props.image,
    portMappings: [{ containerPort: definition.port }],
    environment: serviceEnvironment(scope, props),
    secrets: {
      ...cache.containerSecrets(scope),
      SERVICE_SECRET: secret.containerSecret(),
      ...(accessTokenKeysSecretArn === undefined
        ? {}
        : {
            ACCESS_TOKEN_KEYS: existingSecret(scope, 'AccessTokenKeys', accessTokenKeysSecretArn),
          }),
    },
    user: CONTAINER_USER,
    readonlyRootFilesystem: true,
    // Reaps what the process leaves behind and passes SIGTERM on, which PID 1 otherwise ignores.
    linuxParameters: new ecs.LinuxParameters(scope, 'LinuxParameters', {
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
    logging: logging(definition.name),
  });
  addWritableFolders(taskDefinition, container, executeCommand);
  if (telemetry !== undefined) {
    addTelemetryCollector(scope, {
      telemetry,
      stage: operations.stage.name,
      service: definition.name,
      taskDefinition,
      logging: logging('collector'),
    });
  }
  Validations.of(taskDefinition).acknowledge(
    {
      id: 'AwsSolutions-ECS2',
      reason:
        'These variables say where things are and how long to wait; whatever is secret comes from Secrets Manager when a task starts.',
    },
    {
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'Only to log in to the account’s registry (ecr:GetAuthorizationToken), for which ECR knows no narrower resource.',
    },
  );
  return taskDefinition;
}
