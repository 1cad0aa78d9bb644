import { unknownName } from '../../config/configuration-error.ts';
import type { StageSize } from '../../config/size.ts';
import type { StageDefinition } from '../../config/stage.ts';
import { type Quota, type QuotaName, quotaCodes, quotas } from '../data/quotas.ts';
import { rounded } from '../data/rounded.ts';
import { unitCosts } from '../data/unit-costs.ts';
import type { PlannedLoad } from '../load/load.ts';
import type { SystemParts } from '../load/parts.ts';
import { totalTasks } from '../load/service-share.ts';
import { messagesPerSecond } from '../load/worker-load.ts';
import { DEPLOYMENT_FACTOR } from './connection-budget.ts';

const UNITS_PER_VCPU = 1_024;
const PERCENT = 100;
const SECONDS_PER_DAY = 86_400;
const BITS_PER_BYTE = 8;
const GIGA = 1_000 ** 3;
/** Functions that a deployment runs: migrations, and what the CDK adds. */
const OTHER_EXECUTIONS = 5;
/** Of load balancer, NAT, endpoints and functions, beside one a task. */
const OTHER_INTERFACES = 100;

/** How much of a quota a stage may use. */
export interface QuotaUse {
  readonly quota: Quota;
  readonly needed: number;
  /** What the account has: the standard, or what the stage says it was granted. */
  readonly available: number;
  /** How `needed` comes about, in words and figures. */
  readonly reason: string;
}

interface Need {
  readonly needed: number;
  readonly reason: string;
}

function needs(
  { availabilityZones, workload }: StageDefinition,
  size: StageSize,
  load: PlannedLoad,
  { services, workers, schedules }: SystemParts,
): Record<QuotaName, Need> {
  const { service, cache, database, network } = size;
  const total = totalTasks(service, services);
  const tasks = total.maximum * DEPLOYMENT_FACTOR;
  const deploying = `${total.reason} × ${DEPLOYMENT_FACTOR} during a deployment`;
  const vcpus = (service.cpuUnits / UNITS_PER_VCPU) * tasks;
  const spot = (service.spotPercent / PERCENT) * Math.max(0, 1 - total.minimum / total.maximum);
  const nodes = cache.shards * (1 + cache.replicas);
  const concurrency = Object.values(size.workerConcurrency).reduce((sum, one) => sum + one, 0);
  const emails = (one: PlannedLoad['mean']): number =>
    workers
      .filter(({ sendsEmail }) => sendsEmail === true)
      .reduce((sum, worker) => sum + messagesPerSecond(worker, one), 0);
  const gigabits =
    (load.event.requests *
      (workload.payloadBytes + unitCosts.headerBytes.value / 2) *
      BITS_PER_BYTE) /
    GIGA;
  const each = `${deploying} × ${service.cpuUnits / UNITS_PER_VCPU} vCPU`;
  return {
    fargateVcpus: {
      needed: Math.ceil(vcpus * (1 - spot)),
      reason: spot === 0 ? each : `${each}, without those on Spot`,
    },
    fargateSpotVcpus: {
      needed: Math.ceil(vcpus * spot),
      reason: `${each}, ${service.spotPercent} % of those beyond ${total.minimum}`,
    },
    loadBalancerTargets: { needed: tasks, reason: deploying },
    targetGroupTargets: {
      needed: total.largest * DEPLOYMENT_FACTOR,
      reason: `${total.largest} tasks of the largest service × ${DEPLOYMENT_FACTOR} during a deployment`,
    },
    reservedLoadBalancerCapacity: {
      needed: size.loadBalancer.reservedCapacityUnits,
      reason: 'loadBalancer.reservedCapacityUnits',
    },
    lambdaConcurrency: {
      needed: concurrency + schedules.length + OTHER_EXECUTIONS,
      reason: `${concurrency} for workers + ${schedules.length} for schedules + ${OTHER_EXECUTIONS} for migrations and the like`,
    },
    emailRate: {
      needed: Math.ceil(emails(load.event)),
      reason: 'emails a second at the highest peak',
    },
    emailsADay: {
      needed: Math.ceil(emails(load.mean) * SECONDS_PER_DAY),
      reason: `${rounded(emails(load.mean))} emails/s in the mean × a day`,
    },
    databaseInstances: {
      needed: 1 + database.maximumReaders,
      reason: `a writer and ${database.maximumReaders} readers`,
    },
    cacheNodes: {
      needed: nodes + 1 + cache.replicas,
      reason: `${cache.shards} shards × ${1 + cache.replicas} nodes + ${1 + cache.replicas} for sessions`,
    },
    cacheNodesOfCluster: {
      needed: cache.shards > 1 ? nodes : 0,
      reason: `${cache.shards} shards × ${1 + cache.replicas} nodes`,
    },
    elasticAddresses: { needed: network.natGateways, reason: 'one a NAT gateway' },
    interfaceEndpoints: {
      needed: network.interfaceEndpoints.length,
      reason: 'network.interfaceEndpoints',
    },
    networkInterfaces: {
      needed:
        tasks + OTHER_INTERFACES + network.interfaceEndpoints.length * availabilityZones.length,
      reason: `${deploying} + ${OTHER_INTERFACES} for load balancer, functions and the like + endpoints in each zone`,
    },
    edgeRequests: {
      needed: Math.ceil(load.event.requests),
      reason: 'requests a second at the highest peak',
    },
    edgeTransfer: {
      needed: Math.ceil(gigabits),
      reason: `${rounded(load.event.requests)} answers/s with their headers, in Gbit/s`,
    },
  };
}

/** How much of each quota a stage of that size may use. */
export function quotaUse(
  definition: StageDefinition,
  size: StageSize,
  load: PlannedLoad,
  parts: SystemParts,
): readonly QuotaUse[] {
  const granted = definition.policy.grantedQuotas ?? {};
  return Object.entries(needs(definition, size, load, parts)).map(([name, need]) => {
    const quota = quotas[name as QuotaName];
    return { quota, ...need, available: granted[quota.code] ?? quota.standard };
  });
}

/** What is wrong with the use of quotas: which are exceeded, by what, and what to do; and granted ones that do not exist. */
export function findQuotaProblems(stage: StageDefinition, uses: readonly QuotaUse[]): string[] {
  const unknown = Object.keys(stage.policy.grantedQuotas ?? {}).filter(
    (code) => !quotaCodes.includes(code),
  );
  return [
    ...unknown.map(
      (code) =>
        `Stage "${stage.name}", policy.grantedQuotas: ${unknownName('quota', code, quotaCodes)}`,
    ),
    ...uses
      .filter(({ needed, available }) => needed > available)
      .map(
        ({ quota, needed, available, reason }) =>
          `Stage "${stage.name}" may need ${rounded(needed)} of the quota "${quota.name}" (${quota.service}, ${quota.code}): ${reason}. ` +
          `The account has ${rounded(available)}, ${available === quota.standard ? 'which is the standard' : 'as policy.grantedQuotas says'}. ` +
          `Ask AWS for more and state it as policy.grantedQuotas: { '${quota.code}': ${needed} }, or make the stage smaller (${quota.source}).`,
      ),
  ];
}
