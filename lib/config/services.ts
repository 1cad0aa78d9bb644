/** An HTTP service that runs in containers behind the load balancer. */
export interface ServiceDefinition {
  /** Name of the service; lower-case, hyphens. */
  readonly name: string;
  /** What the service does, for consoles and docs. */
  readonly description: string;
  /** Module that the container runs, relative to the root of the repository; the Dockerfile bundles it. */
  readonly entry: string;
  /** Dockerfile of its image, relative to the root of the repository, which is the build's context. */
  readonly dockerfile: string;
  /** Paths that CloudFront and the load balancer send to it, at most 5, such as `/api/*`. */
  readonly pathPatterns: readonly string[];
  /** Share of the stage's requests past the edge that are for it, in percent; those of all services add up to 100. In the list, one may leave it out and takes the rest. */
  readonly trafficPercent: number;
  /** Order in which the load balancer tries the services' paths: lowest first, 1 to 50,000. */
  readonly priority: number;
  /** Port that the container listens on. */
  readonly port: number;
  /** Path that responds with 200 while the process lives. */
  readonly livenessPath: string;
  /** Path that responds with 200 while the service can serve. */
  readonly readinessPath: string;
  /** PostgreSQL role that it logs in as; migrations create it. @default no access to the database */
  readonly databaseUser?: string;
  /** Names of the workers that it sends messages to. */
  readonly sendsTo: readonly string[];
}

/** A definition in which the share of the traffic may be left out. */
type ServiceEntry = Omit<ServiceDefinition, 'trafficPercent'> &
  Partial<Pick<ServiceDefinition, 'trafficPercent'>>;

const ALL_TRAFFIC_PERCENT = 100;

/** Gives what the others leave to the service without a share. */
function withShares(entries: readonly ServiceEntry[]): readonly ServiceDefinition[] {
  const given = entries.reduce((sum, { trafficPercent = 0 }) => sum + trafficPercent, 0);
  return entries.map((entry) => ({ trafficPercent: ALL_TRAFFIC_PERCENT - given, ...entry }));
}

export const services: readonly ServiceDefinition[] = withShares([
  {
    name: 'user-api',
    description: 'The user API: users over HTTP.',
    entry: 'services/user-api/main.ts',
    dockerfile: 'services/user-api/Dockerfile',
    pathPatterns: ['/api/*', '/problems*', '/.well-known/jwks.json', '/reset-password'],
    priority: 100,
    port: 3000,
    livenessPath: '/health/live',
    readinessPath: '/health/ready',
    databaseUser: 'headroom_api',
    sendsTo: ['email'],
  },
]);

/** What brings the database to the newest schema, before anything that needs it runs. */
export const migrations = {
  /** Module that exports `handler`, relative to the root of the repository. */
  entry: 'services/user-api/migrate.ts',
  /** Folder of SQL files that the bundle needs beside itself, under the name `migrations`. */
  directory: 'services/user-api/database/migrations',
} as const;
