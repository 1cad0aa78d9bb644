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

/** `max_connections` of each instance; between two sizes of AWS's table it is that of the smaller one. */
export function maximumConnections(minimumUnits: number, maximumUnits: number): number {
  const row = connectionsByCapacity.findLast(([units]) => units <= maximumUnits);
  const connections = row?.[1] ?? 0;
  return minimumUnits <= LITTLE_MINIMUM_CAPACITY_UNITS
    ? Math.min(connections, CONNECTIONS_WITH_LITTLE_MINIMUM)
    : connections;
}

/** The least capacity units that take more than `connections`; the most there is in the table when none does. */
export function smallestCapacityFor(connections: number): number {
  const row = connectionsByCapacity.find(([, most]) => most > connections);
  return (row ?? connectionsByCapacity.at(-1))?.[0] ?? 0;
}
