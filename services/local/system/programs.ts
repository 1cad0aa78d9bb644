import type { EventSourceWorker } from '../event-source/worker.ts';
import type { QueueDefinition } from '../sqs/queues.ts';

/** A worker, as far as it concerns one machine; a `WorkerDefinition` of lib/config/workers.ts has all of it. */
export interface LocalWorker extends EventSourceWorker, QueueDefinition {
  readonly name: string;
  readonly queueUrlVariable: string;
  /** Database role that it logs in as. @default no access to the database */
  readonly databaseUser?: string;
}

/** A service, as far as it concerns one machine; a `ServiceDefinition` of lib/config/services.ts has all of it. */
export interface LocalService {
  readonly name: string;
  /** Entry point, as the container runs it; an absolute path. */
  readonly entry: string;
  /** Paths that the load balancer sends to it. */
  readonly pathPatterns: readonly string[];
  /** Order in which the load balancer tries the services' paths: lowest first. */
  readonly priority: number;
  /** Path that responds with 200 while the service can serve. */
  readonly readinessPath: string;
  /** Database role that it logs in as. @default no access to the database */
  readonly databaseUser?: string;
}

/**
 * The programs that this system runs and what they need, handed in by the entry point: this folder knows how to run
 * a service and workers, not which.
 */
export interface Programs {
  /** Root of the repository, absolute: the programs' working directory. */
  readonly root: string;
  /** Options of Node.js for programs that run from their sources. */
  readonly nodeOptions: readonly string[];
  /** The user API, which gets the requests that no other service has a path for. */
  readonly userApi: LocalService;
  /** The services beside it; with one, a router in front of them listens on the port of the API. */
  readonly furtherServices: readonly LocalService[];
  /** The workers, as the stacks define them. */
  readonly workers: readonly LocalWorker[];
  /** Messages on what the API would refuse at its start in variables that are valid one by one. */
  readonly checkSettings: (
    environment: Readonly<Record<string, string | undefined>>,
  ) => readonly string[];
  /** `RATE_LIMITS` of the API for load tests. */
  readonly highLimits: string;
  /** Brings the database at this URL to the newest schema, with the entry point that AWS runs. */
  migrate(databaseUrl: string): Promise<void>;
  /** Puts the demo users into an empty table; resolves to whether it did. */
  insertDemoUsers(databaseUrl: string): Promise<boolean>;
  /** Lets one of them log in as an administrator; resolves to the email address, or null when that password is not good there. */
  ensureDemoAdministrator(databaseUrl: string, password: string): Promise<string | null>;
}
