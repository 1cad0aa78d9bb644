import type * as ecs from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import { COLLECTOR_MEBIBYTES } from '../../capacity/data/collector.ts';
import type { Policy } from '../../config/policy.ts';
import { existingSecret } from '../shared/existing-secret.ts';
import { existingImage } from './service-image.ts';

/** Of the containers of one task to each other: nothing else reaches it. */
const LOOPBACK = '127.0.0.1';
const OTLP_PORT = 4_318;
/** Port of the service's metrics: not one that the load balancer knows, and only for who is in the task. */
export const INTERNAL_PORT = 9_464;
const SCRAPE_INTERVAL = '30s';
/** The collector lets go of what it has before it would be killed. */
const MEMORY_LIMIT_PERCENT = 80;
/** User and group that the collector runs as. */
const COLLECTOR_USER = '65532:65532';

type Telemetry = NonNullable<Policy['telemetry']>;

/** Where a service sends its traces and listens for who asks for metrics: the collector is in the same task, on the same loopback. */
export function internalEnvironment(telemetry: Telemetry | undefined): Record<string, string> {
  return {
    INTERNAL_HOST: LOOPBACK,
    INTERNAL_PORT: String(INTERNAL_PORT),
    ...(telemetry === undefined
      ? {}
      : { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${LOOPBACK}:${OTLP_PORT}` }),
  };
}

/** What the collector does (https://opentelemetry.io/docs/collector/configuration/): metrics are fetched, traces come, both go on in batches. */
function collectorConfiguration(telemetry: Telemetry, stage: string, service: string) {
  const hasKey = telemetry.authorizationSecretArn !== undefined;
  const processors = ['memory_limiter', 'resource', 'batch'];
  return {
    receivers: {
      otlp: { protocols: { http: { endpoint: `${LOOPBACK}:${OTLP_PORT}` } } },
      prometheus: {
        config: {
          scrape_configs: [
            {
              job_name: service,
              scrape_interval: SCRAPE_INTERVAL,
              static_configs: [{ targets: [`${LOOPBACK}:${INTERNAL_PORT}`] }],
            },
          ],
        },
      },
    },
    processors: {
      memory_limiter: { check_interval: '1s', limit_percentage: MEMORY_LIMIT_PERCENT },
      resource: {
        attributes: [{ key: 'deployment.environment.name', value: stage, action: 'upsert' }],
      },
      batch: {},
    },
    exporters: {
      otlphttp: {
        endpoint: telemetry.endpoint,
        ...(hasKey ? { headers: { Authorization: `\${env:OTLP_AUTHORIZATION}` } } : {}),
      },
    },
    service: {
      pipelines: {
        traces: { receivers: ['otlp'], processors, exporters: ['otlphttp'] },
        metrics: { receivers: ['prometheus'], processors, exporters: ['otlphttp'] },
      },
      telemetry: { logs: { level: 'warn' }, metrics: { level: 'none' } },
    },
  };
}

export interface TelemetryCollectorProps {
  readonly telemetry: Telemetry;
  readonly stage: string;
  /** Name of the service that it is beside. */
  readonly service: string;
  readonly taskDefinition: ecs.FargateTaskDefinition;
  readonly logging: ecs.LogDriver;
}

/** Adds an OpenTelemetry Collector to a task. The service goes on without it: it is not essential, and nothing waits for it. */
export function addTelemetryCollector(scope: Construct, props: TelemetryCollectorProps): void {
  const { telemetry, taskDefinition } = props;
  const { authorizationSecretArn } = telemetry;
  const configuration = collectorConfiguration(telemetry, props.stage, props.service);
  taskDefinition.addContainer('Collector', {
    containerName: 'collector',
    image: existingImage(scope, 'CollectorRepository', telemetry.collectorImage),
    essential: false,
    command: ['--config=env:COLLECTOR_CONFIGURATION'],
    environment: { COLLECTOR_CONFIGURATION: JSON.stringify(configuration) },
    ...(authorizationSecretArn === undefined
      ? {}
      : {
          secrets: {
            OTLP_AUTHORIZATION: existingSecret(
              scope,
              'TelemetryAuthorization',
              authorizationSecretArn,
            ),
          },
        }),
    memoryLimitMiB: COLLECTOR_MEBIBYTES,
    user: COLLECTOR_USER,
    readonlyRootFilesystem: true,
    logging: props.logging,
  });
}
