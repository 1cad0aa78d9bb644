import { throwProblems } from '../config/configuration-error.ts';
import type { StageConfiguration } from '../config/stage.ts';
import type { WorkerDefinition } from '../config/workers.ts';

/**
 * Default `max_connections` of Aurora Serverless v2 PostgreSQL by most capacity, in Aurora capacity units
 * (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html#aurora-serverless-v2.max-connections).
 */
const connectionsByCapacity: readonly (readonly [capacityUnits: number, connections: number])[] = [
  [1, 189],
  [4, 823],
  [8, 1_669],
  [16, 3_360],
  [32, 5_000],
];
/** With so little least capacity Aurora allows no more connections than {@link CONNECTIONS_WITH_LITTLE_MINIMUM}. */
const LITTLE_MINIMUM_CAPACITY_UNITS = 0.5;
const CONNECTIONS_WITH_LITTLE_MINIMUM = 2_000;

/** Tasks that a rolling deployment runs at once, as a multiple of those there were. */
export const DEPLOYMENT_FACTOR = 2;
/** Connections that a worker's function opens: it handles its messages one after the other. */
const CONNECTIONS_PER_WORKER = 1;
/** Migrations, Aurora's own sessions, PostgreSQL's reserve for superusers, and a person who looks. */
const RESERVED_CONNECTIONS = 20;
/** After a failover one instance may be writer and reader in one, until the lost one has been replaced. */
const ENDPOINTS_ON_ONE_INSTANCE = 2;

/** What PostgreSQL connections a stage may need at worst, and what it has. */
export interface ConnectionBudget {
  /** Connections that one instance takes. */
  readonly available: number;
  /** Connections that one instance may be asked for. */
  readonly needed: number;
  /** How `needed` comes about, in words and figures. */
  readonly reason: string;
}

/** `max_connections` of each instance; between two sizes of AWS's table it is that of the smaller one. */
export function maximumConnections(minimumUnits: number, maximumUnits: number): number {
  const row = connectionsByCapacity.findLast(([units]) => units <= maximumUnits);
  const connections = row?.[1] ?? 0;
  return minimumUnits <= LITTLE_MINIMUM_CAPACITY_UNITS
    ? Math.min(connections, CONNECTIONS_WITH_LITTLE_MINIMUM)
    : connections;
}

/** Adds up the connections of `stage` in the worst case: in the middle of a deployment at full size, after a failover. */
export function connectionBudget(
  stage: StageConfiguration,
  workers: readonly WorkerDefinition[],
): ConnectionBudget {
  const { database, service } = stage.size;
  const endpoints = database.readers > 0 ? ENDPOINTS_ON_ONE_INSTANCE : 1;
  const tasks = service.maximumTasks * DEPLOYMENT_FACTOR;
  const workerConnections = workers
    .filter((worker) => worker.databaseUser !== undefined)
    .reduce((sum, worker) => sum + worker.maximumConcurrency * CONNECTIONS_PER_WORKER, 0);
  return {
    available: maximumConnections(database.minimumCapacityUnits, database.maximumCapacityUnits),
    needed: tasks * service.databasePoolSize * endpoints + workerConnections + RESERVED_CONNECTIONS,
    reason:
      `${service.maximumTasks} tasks × ${DEPLOYMENT_FACTOR} during a deployment × a pool of ${service.databasePoolSize}` +
      ` × ${endpoints} endpoint(s) + ${workerConnections} for workers + ${RESERVED_CONNECTIONS} in reserve`,
  };
}

/**
 * Checks that the database has a connection for everyone.
 *
 * @throws ConfigurationError with the sum, and what to change.
 */
export function checkConnectionBudget(
  stage: StageConfiguration,
  workers: readonly WorkerDefinition[],
): ConnectionBudget {
  const budget = connectionBudget(stage, workers);
  if (budget.needed >= budget.available) {
    throwProblems([
      `Stage "${stage.name}" may need ${budget.needed} PostgreSQL connections (${budget.reason}), but an instance takes ${budget.available}. ` +
        'Lower size.service.maximumTasks or databasePoolSize, or raise size.database.maximumCapacityUnits.',
    ]);
  }
  return budget;
}
