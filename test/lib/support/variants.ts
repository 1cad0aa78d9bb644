import { type ServiceDefinition, services } from '../../../lib/config/services.ts';
import type { StageDefinition } from '../../../lib/config/stage.ts';
import { dev } from '../../../lib/config/stages/dev.ts';
import { production } from '../../../lib/config/stages/production.ts';
import { type WorkerDefinition, workers } from '../../../lib/config/workers.ts';

/** Every choice of policy that no stage makes now, so that the first one that does finds the same guard rails. */
export const choices: StageDefinition = {
  ...production,
  name: 'choices',
  policy: {
    ...production.policy,
    contacts: { page: ['on-call@example.com'], ticket: ['team@example.com'] },
    runbookUrl: 'https://example.com/headroom/docs/runbook.md',
    alarmOverrides: {
      'api/Service-user-api/Latency': { severity: 'ticket' },
      'data/Database/Failover': { severity: 'page' },
      'edge/Delivery/ErrorRate': { silenced: 'The edge is being moved this week.' },
    },
    domain: {
      name: 'api.headroom.example',
      hostedZoneId: 'Z0123456789ABC',
      hostedZoneName: 'headroom.example',
    },
    network: {
      ...production.policy.network,
      addressRange: '10.4.0.0/16',
      interfaceEndpoints: ['logs', 'secretsmanager'],
    },
    database: { mode: 'provisioned', ioOptimized: 'always', insights: 'standard' },
    cacheEngine: 'redis',
    spotPercent: 40,
    grantedQuotas: { ...production.policy.grantedQuotas, 'L-36FBB829': 50 },
    scaling: 'steps',
    telemetry: {
      endpoint: 'https://otlp.example.com',
      collectorImage: 'example.com/opentelemetry-collector:0.140.0',
      authorizationSecretArn:
        'arn:aws:secretsmanager:us-east-2:111122223333:secret:telemetry-AbCdEf',
    },
    accessTokenKeysSecretArn:
      'arn:aws:secretsmanager:us-east-2:111122223333:secret:headroom/choices/signing-keys-GhIjKl',
    executeCommand: true,
    edge: { priceClass: '200', originShield: true },
  },
};

/** What somebody writes who needs a stage for load tests: production's workload and policy, with what differs. */
export const loadTest: StageDefinition = {
  ...production,
  name: 'load-test',
  availabilityZones: ['a', 'b'],
  policy: {
    ...production.policy,
    availabilityPercent: 99,
    protection: 'disposable',
    events: [],
    network: { ...production.policy.network, addressRange: '10.9.0.0/16', natGateways: 'one' },
    telemetry: {
      endpoint: 'https://otlp.example.com',
      collectorImage: 'example.com/opentelemetry-collector:0.140.0',
    },
  },
};

function first<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error('There is nothing to add to.');
  return item;
}

export const reports: ServiceDefinition = {
  ...first(services),
  name: 'reports',
  description: 'Reports over HTTP.',
  pathPatterns: ['/reports/*'],
  trafficPercent: 10,
  priority: 49_000,
  port: 3_900,
};

export const audit: WorkerDefinition = {
  ...first(workers),
  name: 'audit',
  description: 'Writes events down.',
  queueUrlVariable: 'AUDIT_QUEUE_URL',
  sendsEmail: false,
};

/** `dev` with one entry more in the list of services, which takes its share of the traffic from the first, and in that of workers. */
export const extended = {
  stage: dev,
  services: [
    { ...first(services), trafficPercent: first(services).trafficPercent - reports.trafficPercent },
    ...services.slice(1),
    reports,
  ],
  workers: [...workers, audit],
} as const;
