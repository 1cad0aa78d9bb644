/** A node of ElastiCache. */
export interface CacheNodeType {
  readonly name: string;
  readonly memoryGibibytes: number;
  /**
   * Simple commands a second that it runs for long. AWS publishes over 1,000,000 on cache.r7g.4xlarge with thousands of clients
   * (https://aws.amazon.com/blogs/database/achieve-over-500-million-requests-per-second-per-cluster-with-amazon-elasticache-for-redis-7-1/);
   * a third of that is assumed here, and less for nodes with fewer cores for I/O, until `npm run load` has measured it.
   */
  readonly commandsPerSecond: number;
  /** Whether its CPU is a credit that runs out. */
  readonly burstable: boolean;
}

/**
 * Nodes on Graviton, from small to large, with the memory that AWS gives them
 * (https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/ParameterGroups.Engine.html).
 */
export const cacheNodeTypes: readonly CacheNodeType[] = [
  { name: 'cache.t4g.micro', memoryGibibytes: 0.5, commandsPerSecond: 5_000, burstable: true },
  { name: 'cache.t4g.small', memoryGibibytes: 1.37, commandsPerSecond: 10_000, burstable: true },
  { name: 'cache.t4g.medium', memoryGibibytes: 3.09, commandsPerSecond: 20_000, burstable: true },
  { name: 'cache.r7g.large', memoryGibibytes: 13.07, commandsPerSecond: 100_000, burstable: false },
  {
    name: 'cache.r7g.xlarge',
    memoryGibibytes: 26.32,
    commandsPerSecond: 150_000,
    burstable: false,
  },
  {
    name: 'cache.r7g.2xlarge',
    memoryGibibytes: 52.82,
    commandsPerSecond: 250_000,
    burstable: false,
  },
  {
    name: 'cache.r7g.4xlarge',
    memoryGibibytes: 105.81,
    commandsPerSecond: 350_000,
    burstable: false,
  },
];
