import type { StageSize } from '../../config/size.ts';
import type { StageDefinition } from '../../config/stage.ts';
import type { WorkerDefinition } from '../../config/workers.ts';
import { GIGABYTE, gigabytesAMonth, HOURS_PER_MONTH } from '../data/month.ts';
import { prices } from '../data/prices.ts';
import { unitCosts } from '../data/unit-costs.ts';
import type { Load } from '../load/load.ts';
import { serviceLogGigabytes, workerLogGigabytes } from '../load/log-volume.ts';
import type { SystemParts } from '../load/parts.ts';
import { type CostLine, costLine } from './cost-line.ts';
import { meanTasks } from './service-cost.ts';

const DAYS_PER_MONTH = 30;
/** CloudWatch Logs keeps what it stores compressed, to about this share. */
const COMPRESSED_SHARE = 0.15;
/** What every stage has so many of; a test counts those of the templates. */
export const counts = { dashboards: 6, compositeAlarms: 8, keys: 3, secrets: 2 } as const;
/** What each service adds to them. */
export const SECRETS_PER_SERVICE = 1;
/** Metrics that alarms look at: some in every stage, some of each service, of each worker and of each node of the cache. */
const ALARM_METRICS = 36;
const ALARM_METRICS_PER_SERVICE = 10;
const ALARM_METRICS_PER_WORKER = 5;
const ALARM_METRICS_PER_CACHE_NODE = 5;
/** What Container Insights makes of a cluster and a service. */
const INSIGHT_METRICS = 35;

/** Metrics that the alarms of a stage look at, about; each is paid for. */
export function alarmMetrics(
  { cache }: Pick<StageSize, 'cache'>,
  { services, workers }: Pick<SystemParts, 'services' | 'workers'>,
): number {
  const nodes = (cache.shards + 1) * (1 + cache.replicas);
  return (
    ALARM_METRICS +
    services.length * ALARM_METRICS_PER_SERVICE +
    workers.length * ALARM_METRICS_PER_WORKER +
    nodes * ALARM_METRICS_PER_CACHE_NODE
  );
}

/** What NAT gateways, endpoints and transfer between zones cost a month. */
export function networkCost(
  { network }: Pick<StageSize, 'network'>,
  { availabilityZones, workload }: StageDefinition,
  load: Load,
  workers: readonly WorkerDefinition[],
): CostLine[] {
  const zones = availabilityZones.length;
  const logs = serviceLogGigabytes(load) + workerLogGigabytes(workers, load);
  const hasEndpoint = network.interfaceEndpoints.includes('logs');
  const hours = network.natGateways * HOURS_PER_MONTH;
  const endpoints = network.interfaceEndpoints.length;
  const entryBytes = workload.payloadBytes + unitCosts.cacheBytesPerUserOverPayload.value;
  const otherZoneShare = (zones - 1) / zones;
  const betweenZones =
    gigabytesAMonth(load.cacheReads + load.databaseReads + load.writes, entryBytes) *
    otherZoneShare;
  return [
    costLine('network', 'NAT gateways', hours, prices.natGateway),
    costLine('network', 'their addresses', hours, prices.publicAddress),
    ...(hasEndpoint ? [] : [costLine('network', 'data through NAT', logs, prices.natGatewayData)]),
    ...(endpoints === 0
      ? []
      : [
          costLine(
            'network',
            'interface endpoints',
            endpoints * zones * HOURS_PER_MONTH,
            prices.interfaceEndpoint,
          ),
        ]),
    ...(hasEndpoint
      ? [costLine('network', 'data through endpoints', logs, prices.interfaceEndpointData)]
      : []),
    costLine('network', 'between zones', betweenZones, prices.zoneTransfer),
  ];
}

/** What logs, alarms and dashboards cost a month. */
export function observabilityCost(
  size: Pick<StageSize, 'service' | 'cache'>,
  { policy }: StageDefinition,
  load: Load,
  parts: SystemParts,
): CostLine[] {
  const { logDays, accessLogDays } = policy.retention;
  const flows = (meanTasks(size.service, load) * unitCosts.flowLogBytesPerTask.value) / GIGABYTE;
  const logs = serviceLogGigabytes(load) + workerLogGigabytes(parts.workers, load) + flows;
  const accessLogs = gigabytesAMonth(
    load.requests + load.origin,
    unitCosts.accessLogBytesPerRequest.value,
  );
  return [
    costLine('observability', 'logs written', logs, prices.logIngestion),
    costLine(
      'observability',
      'logs kept',
      (logs * COMPRESSED_SHARE * logDays) / DAYS_PER_MONTH,
      prices.logStorage,
    ),
    costLine(
      'observability',
      'access logs kept',
      (accessLogs * accessLogDays) / DAYS_PER_MONTH,
      prices.objectStorage,
    ),
    costLine('observability', 'alarms', alarmMetrics(size, parts), prices.alarm),
    costLine('observability', 'composite alarms', counts.compositeAlarms, prices.compositeAlarm),
    costLine('observability', 'metrics of tasks', INSIGHT_METRICS, prices.customMetric),
    costLine('observability', 'dashboards', counts.dashboards, prices.dashboard),
  ];
}

/** What keys and secrets cost a month. */
export function encryptionCost({ services }: Pick<SystemParts, 'services'>): CostLine[] {
  const secrets = counts.secrets + services.length * SECRETS_PER_SERVICE;
  return [
    costLine('encryption', 'keys', counts.keys, prices.key),
    costLine('encryption', 'secrets', secrets, prices.secret),
  ];
}
