import { findFargateProblem } from '../config/fargate.ts';
import type { StageSize } from '../config/size.ts';
import type { StageDefinition } from '../config/stage.ts';

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
  if (stage.policy.protection === 'protected' && cache.replicas === 0) {
    problem('cache.replicas', cache.replicas, 'It takes at least 1 where protection is protected');
  }
  return problems;
}
