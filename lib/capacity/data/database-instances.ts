const GIBIBYTE = 1_024 ** 3;
/** Aurora PostgreSQL's formula: LEAST({DBInstanceClassMemory / 9531392}, 5000). */
const BYTES_PER_CONNECTION = 9_531_392;
/** Aurora PostgreSQL's default, however large the instance. */
export const MOST_CONNECTIONS = 5_000;

/** An instance of Aurora. */
export interface InstanceClass {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryGibibytes: number;
}

/** Memory-optimised classes on Graviton, from small to large (https://aws.amazon.com/rds/instance-types/). */
export const instanceClasses: readonly InstanceClass[] = [
  { name: 'db.r8g.large', vcpus: 2, memoryGibibytes: 16 },
  { name: 'db.r8g.xlarge', vcpus: 4, memoryGibibytes: 32 },
  { name: 'db.r8g.2xlarge', vcpus: 8, memoryGibibytes: 64 },
  { name: 'db.r8g.4xlarge', vcpus: 16, memoryGibibytes: 128 },
  { name: 'db.r8g.8xlarge', vcpus: 32, memoryGibibytes: 256 },
  { name: 'db.r8g.12xlarge', vcpus: 48, memoryGibibytes: 384 },
  { name: 'db.r8g.16xlarge', vcpus: 64, memoryGibibytes: 512 },
  { name: 'db.r8g.24xlarge', vcpus: 96, memoryGibibytes: 768 },
  { name: 'db.r8g.48xlarge', vcpus: 192, memoryGibibytes: 1_536 },
];

/**
 * Default `max_connections` of an instance
 * (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Managing.html).
 */
export function connectionsOfInstance({ memoryGibibytes }: InstanceClass): number {
  return Math.min(
    MOST_CONNECTIONS,
    Math.floor((memoryGibibytes * GIBIBYTE) / BYTES_PER_CONNECTION),
  );
}

/** The instance class of that name, or undefined. */
export function findInstanceClass(name: string): InstanceClass | undefined {
  return instanceClasses.find((candidate) => candidate.name === name);
}
