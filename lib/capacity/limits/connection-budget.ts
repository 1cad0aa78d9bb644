import type { StageSize } from '../../config/size.ts';
import { MOST_CONNECTIONS } from '../data/database-instances.ts';
import type { SystemParts } from '../load/parts.ts';
import { type TaskCounts, totalTasks } from '../load/service-share.ts';

/** Tasks that a rolling deployment runs at once, as a multiple of those there were. */
export const DEPLOYMENT_FACTOR = 2;
/** Connections that a function opens: it does one thing after the other. */
const CONNECTIONS_PER_FUNCTION = 1;
/** Migrations, Aurora's own sessions, PostgreSQL's reserve for superusers, and a person who looks. */
const RESERVED_CONNECTIONS = 20;
/** After a failover one instance may be writer and reader in one, until the lost one has been replaced. */
const ENDPOINTS_ON_ONE_INSTANCE = 2;

/** What PostgreSQL connections a stage may need at worst of one instance. */
export interface ConnectionNeed {
  readonly needed: number;
  /** How `needed` comes about, in words and figures. */
  readonly reason: string;
}

export interface ConnectionUsers {
  readonly service: TaskCounts & Pick<StageSize['service'], 'databasePoolSize'>;
  readonly workerConcurrency: StageSize['workerConcurrency'];
  /** Whether reads have an endpoint of their own. */
  readonly hasReaders: boolean;
}

/** Adds up the connections in the worst case: in the middle of a deployment at full size, after a failover. */
export function connectionNeed(
  { service, workerConcurrency, hasReaders }: ConnectionUsers,
  { services, workers, schedules }: SystemParts,
): ConnectionNeed {
  const endpoints = hasReaders ? ENDPOINTS_ON_ONE_INSTANCE : 1;
  const tasks = totalTasks(
    service,
    services.filter(({ databaseUser }) => databaseUser !== undefined),
  );
  const workerConnections = workers
    .filter((worker) => worker.databaseUser !== undefined)
    .reduce(
      (sum, { name, maximumConcurrency }) =>
        sum + (workerConcurrency[name] ?? maximumConcurrency) * CONNECTIONS_PER_FUNCTION,
      0,
    );
  // Lambda runs one invocation of each at a time.
  const scheduledConnections = schedules.length * CONNECTIONS_PER_FUNCTION;
  return {
    needed:
      tasks.maximum * DEPLOYMENT_FACTOR * service.databasePoolSize * endpoints +
      workerConnections +
      scheduledConnections +
      RESERVED_CONNECTIONS,
    reason:
      `${tasks.reason} × ${DEPLOYMENT_FACTOR} during a deployment × a pool of ${service.databasePoolSize}` +
      ` × ${endpoints} endpoint(s) + ${workerConnections} for workers + ${scheduledConnections} for schedules + ${RESERVED_CONNECTIONS} in reserve`,
  };
}

/** What is wrong with the connections of a stage of that size: the sum and what to change, or nothing. */
export function findConnectionProblems(
  stageName: string,
  size: StageSize,
  parts: SystemParts,
): string[] {
  const { needed, reason } = connectionNeed(
    { ...size, hasReaders: size.database.readers > 0 },
    parts,
  );
  const available = size.database.maximumConnections;
  if (needed < available) return [];
  const larger =
    size.database.mode === 'serverless'
      ? 'raise database.maximumCapacityUnits'
      : 'take a larger database.instanceClass';
  const remedy =
    available < MOST_CONNECTIONS
      ? `or ${larger}`
      : 'as no instance takes more by default, or spread users over several clusters';
  return [
    `Stage "${stageName}" may need ${needed} PostgreSQL connections (${reason}), but an instance takes ${available}. ` +
      `Lower service.maximumTasks or service.databasePoolSize, ${remedy}.`,
  ];
}
