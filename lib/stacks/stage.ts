import type { Construct } from 'constructs';
import { z } from 'zod';
import { findConnectionProblems } from '../capacity/limits/connection-budget.ts';
import { workersOf } from '../capacity/size/size-workers.ts';
import { ConfigurationError, throwProblems, unknownName } from '../config/configuration-error.ts';
import { scheduledFunctions } from '../config/schedules.ts';
import { services as allServices, migrations, type ServiceDefinition } from '../config/services.ts';
import { checkTimeouts, timeouts } from '../config/timeouts.ts';
import { findProblems, repositoryFile } from '../config/validate.ts';
import { validateServices } from '../config/validate-services.ts';
import { validateWorkers } from '../config/validate-workers.ts';
import { workers as allWorkers, type WorkerDefinition } from '../config/workers.ts';
import { ApiStack } from './api-stack.ts';
import { DataStack } from './data-stack.ts';
import { EDGE_REGION, EdgeStack } from './edge-stack.ts';
import { FoundationStack } from './foundation-stack.ts';
import { MigrationsStack } from './migrations-stack.ts';
import { NetworkStack } from './network-stack.ts';
import { ObservabilityStack } from './observability-stack.ts';
import type { StageStackProps } from './stage-stack.ts';
import { WorkersStack } from './workers-stack.ts';

export interface StageProps extends StageStackProps {
  /** Images by name of the service. @default built from their Dockerfiles */
  readonly images?: Readonly<Record<string, string>>;
  /** @default those of `lib/config/services.ts` */
  readonly services?: readonly ServiceDefinition[];
  /** @default those of `lib/config/workers.ts` */
  readonly workers?: readonly WorkerDefinition[];
}

function checkReceivers(
  definitions: readonly ServiceDefinition[],
  receivers: readonly WorkerDefinition[],
): void {
  const names = receivers.map(({ name }) => name);
  const problems = definitions.flatMap((service) =>
    service.sendsTo
      .filter((name) => !names.includes(name))
      .map((name) => `Service "${service.name}", sendsTo: ${unknownName('worker', name, names)}`),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
}

const withEntry = z.looseObject({ entry: repositoryFile(z.string()) });

/** Scheduled functions and migrations whose module does not exist. */
function findMissingEntries(): string[] {
  return [
    ...scheduledFunctions.flatMap((definition) =>
      findProblems(`Scheduled function "${definition.name}"`, withEntry, definition),
    ),
    ...findProblems('Migrations', withEntry, migrations),
  ];
}

/**
 * All stacks of one stage, in the order in which they are deployed.
 *
 * @throws ConfigurationError for what cannot work together: timeouts out of order, a service that sends to no worker, …
 */
export function createStage(app: Construct, props: StageProps): void {
  const { stage, services = allServices, workers = allWorkers } = props;
  validateServices(services);
  validateWorkers(workers);
  checkReceivers(services, workers);
  throwProblems(findMissingEntries());
  checkTimeouts(timeouts);
  // The stage was sized for the standard lists; other ones must fit it, too.
  const parts = { services, workers, schedules: scheduledFunctions };
  throwProblems(findConnectionProblems(stage.name, stage.size, parts));

  const { operations } = new FoundationStack(app, props);
  const { vpc } = new NetworkStack(app, { ...props, operations });
  const data = new DataStack(app, { ...props, operations, vpc });
  const { database, cache, dataKey } = data;
  const migrationsStack = new MigrationsStack(app, { ...props, operations, vpc, database });
  const workersStack = new WorkersStack(app, {
    ...props,
    operations,
    vpc,
    database,
    definitions: workersOf(stage.size, workers),
    schedules: scheduledFunctions,
  });
  const api = new ApiStack(app, {
    ...props,
    operations,
    vpc,
    database,
    cache,
    dataKey,
    workers: workersStack.workers,
    definitions: services,
  });
  // New code meets the new schema: nothing else makes these wait for the migrations.
  workersStack.addStackDependency(migrationsStack);
  api.addStackDependency(migrationsStack);
  const edgeOperations =
    stage.region === EDGE_REGION
      ? operations
      : new FoundationStack(app, { ...props, part: 'edge-foundation', region: EDGE_REGION })
          .operations;
  const edge = new EdgeStack(app, {
    ...props,
    operations: edgeOperations,
    vpcOrigin: api.vpcOrigin,
    definitions: services,
  });
  new ObservabilityStack(app, {
    ...props,
    operations,
    edgeOperations,
    edgePageAlarm: edge.pageAlarm,
    edge: edge.metrics,
    loadBalancer: api.loadBalancerMetrics,
    services: api.serviceMetrics,
    database: database.metrics,
    cache: cache.metrics,
    workers: Object.fromEntries(
      workersStack.workers.map((worker) => [worker.definition.name, worker.metrics]),
    ),
  });
}
