import { unknownName } from '../../config/configuration-error.ts';
import { findFargateProblem } from '../../config/fargate.ts';
import type { StageSize } from '../../config/size.ts';
import type { StageDefinition } from '../../config/stage.ts';
import { cacheNodeTypes } from '../data/cache-nodes.ts';
import { findInstanceClass, instanceClasses } from '../data/database-instances.ts';
import { rounded } from '../data/rounded.ts';
import {
  CAPACITY_UNITS_PER_VCPU,
  MOST_CAPACITY_UNITS,
  MOST_READERS,
  readerVcpus,
  writerVcpus,
} from '../load/database-load.ts';
import type { PlannedLoad } from '../load/load.ts';

/** What cannot be together in a size, a sentence or two for each problem, beginning with the figure's name. */
export function findSizeProblems(stage: StageDefinition, size: StageSize): string[] {
  const { service, database, network, cache } = size;
  const problems: string[] = [];
  const problem = (name: string, got: unknown, message: string): void => {
    problems.push(`Stage "${stage.name}": ${name} is ${JSON.stringify(got)}. ${message}.`);
  };
  if (database.minimumCapacityUnits > database.maximumCapacityUnits) {
    problem(
      'database.minimumCapacityUnits',
      database.minimumCapacityUnits,
      `It takes at most database.maximumCapacityUnits (${database.maximumCapacityUnits})`,
    );
  }
  if (database.readers > database.maximumReaders) {
    problem(
      'database.readers',
      database.readers,
      `It takes at most database.maximumReaders (${database.maximumReaders})`,
    );
  }
  if (service.minimumTasks > service.maximumTasks) {
    problem(
      'service.minimumTasks',
      service.minimumTasks,
      `It takes at most service.maximumTasks (${service.maximumTasks})`,
    );
  }
  const fargateProblem = findFargateProblem(service.cpuUnits, service.memoryMebibytes);
  if (fargateProblem !== undefined) {
    problem('service.memoryMebibytes', service.memoryMebibytes, fargateProblem);
  }
  if (network.natGateways > stage.availabilityZones.length) {
    problem('network.natGateways', network.natGateways, 'It takes at most one for each zone');
  }
  for (const name of ['nodeType', 'sessionNodeType'] as const) {
    const known = cacheNodeTypes.map((node) => node.name);
    if (known.includes(cache[name])) continue;
    problems.push(
      `Stage "${stage.name}", cache.${name}: ${unknownName('node type', cache[name], known)}`,
    );
  }
  if (findInstanceClass(database.instanceClass) === undefined) {
    const known = instanceClasses.map((one) => one.name);
    problems.push(
      `Stage "${stage.name}", database.instanceClass: ${unknownName('instance class', database.instanceClass, known)}`,
    );
  }
  if (stage.policy.protection === 'protected' && cache.replicas === 0) {
    problem('cache.replicas', cache.replicas, 'It takes at least 1 where protection is protected');
  }
  return problems;
}

/** What no size carries, because AWS has none so large; one database cluster is the first to reach its end. */
export function findLoadProblems(stage: StageDefinition, load: PlannedLoad): string[] {
  const problems: string[] = [];
  const { mode } = stage.policy.database;
  const largest =
    mode === 'serverless'
      ? MOST_CAPACITY_UNITS / CAPACITY_UNITS_PER_VCPU
      : Math.max(...instanceClasses.map(({ vcpus }) => vcpus));
  const writer = writerVcpus(load.event);
  if (writer > largest) {
    problems.push(
      `Stage "${stage.name}": ${rounded(load.event.writes)} writes/s at the highest peak need a writer of ${rounded(writer)} vCPUs, but the largest ${mode} one has ${largest}. ` +
        `Write less (workload.readPercent)${mode === 'serverless' ? ', take provisioned instances (policy.database.mode)' : ''}, or spread users over several clusters.`,
    );
  }
  const readers = Math.ceil(readerVcpus(load.event) / largest);
  if (readers > MOST_READERS) {
    problems.push(
      `Stage "${stage.name}": ${rounded(load.event.databaseReads)} reads/s of the database at the highest peak need ${readers} readers of ${largest} vCPUs, but a cluster has at most ${MOST_READERS}.`,
    );
  }
  return problems;
}
