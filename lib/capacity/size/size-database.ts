import type { StageSize } from '../../config/size.ts';
import type { StageDefinition } from '../../config/stage.ts';
import { totalOf } from '../cost/cost-line.ts';
import { databaseCost } from '../cost/database-cost.ts';
import {
  connectionsOfInstance,
  findInstanceClass,
  type InstanceClass,
  instanceClasses,
} from '../data/database-instances.ts';
import type { FigureBook } from '../data/figures.ts';
import { dollars, rounded } from '../data/rounded.ts';
import { unitCosts } from '../data/unit-costs.ts';
import {
  CAPACITY_UNITS_PER_VCPU,
  DATABASE_CPU_TARGET_PERCENT,
  MOST_CAPACITY_UNITS,
  MOST_READERS,
  readerVcpus,
  writerVcpus,
} from '../load/database-load.ts';
import type { Load, PlannedLoad } from '../load/load.ts';
import { redundancyOf } from './availability.ts';

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

/** CPU of the readers that adds another one. */
const READER_CPU_TARGET_PERCENT = 60;
const LEAST_CAPACITY_UNITS = 0.5;
const CAPACITY_STEP = 0.5;
/** With less, insights and many connections leave no memory for the data (AWS's advice for Serverless v2). */
const LEAST_REPLICATED_CAPACITY_UNITS = 2;
/** An idle stage still migrates, and is looked at: how far it can grow at least, as a multiple of the least capacity. */
const LEAST_ROOM_TO_GROW = 2;
/**
 * I/O-Optimized has to cost at most so much of standard storage: a cluster may change to it once in 30 days
 * (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.Aurora_Fea_Regions_DB-eng.Feature.storage-type.html).
 */
const WORTHWHILE_FACTOR = 0.9;

type Database = StageSize['database'];
type Capacity = Pick<
  Database,
  'mode' | 'minimumCapacityUnits' | 'maximumCapacityUnits' | 'instanceClass' | 'maximumConnections'
>;

/** Units in whole steps, within what Aurora has. */
const capacityUnits = (vcpus: number): number =>
  Math.min(
    MOST_CAPACITY_UNITS,
    Math.max(
      LEAST_CAPACITY_UNITS,
      Math.ceil((vcpus * CAPACITY_UNITS_PER_VCPU) / CAPACITY_STEP) * CAPACITY_STEP,
    ),
  );

/** The smallest class with so many vCPUs and more connections than that; the largest there is when none has. */
function chooseClass(vcpus: number, connections: number): InstanceClass {
  const chosen =
    instanceClasses.find(
      (candidate) => candidate.vcpus >= vcpus && connectionsOfInstance(candidate) > connections,
    ) ?? instanceClasses.at(-1);
  if (chosen === undefined) throw new Error('There is no instance class to choose from.');
  return chosen;
}

function decideCapacity(
  book: FigureBook,
  stage: StageDefinition,
  load: PlannedLoad,
  connections: number,
): Capacity {
  const vcpus = writerVcpus(load.event);
  const reason =
    `${rounded(load.event.writes)} writes/s at ${unitCosts.databaseWritesPerVcpu.value} a vCPU and ${DATABASE_CPU_TARGET_PERCENT} % CPU are ${rounded(vcpus)} vCPUs;` +
    ` ${rounded(connections)} connections may be asked for`;
  const wanted = stage.policy.database.mode;
  const mode = book.decide('database.mode', wanted, `policy: ${wanted}`);
  const least = redundancyOf(stage).replicated
    ? LEAST_REPLICATED_CAPACITY_UNITS
    : LEAST_CAPACITY_UNITS;
  const minimum = book.decide(
    'database.minimumCapacityUnits',
    Math.max(least, capacityUnits(writerVcpus(load.mean))),
    `what the mean load needs, at least ${least}`,
  );
  const most = Math.max(
    LEAST_ROOM_TO_GROW * minimum,
    capacityUnits(vcpus),
    smallestCapacityFor(connections),
  );
  const maximum = book.decide(
    'database.maximumCapacityUnits',
    Math.min(MOST_CAPACITY_UNITS, most),
    `${reason}; a vCPU is ${CAPACITY_UNITS_PER_VCPU} units; at least ${LEAST_ROOM_TO_GROW} × the least`,
  );
  const instanceClass = book.decide(
    'database.instanceClass',
    chooseClass(vcpus, connections).name,
    `${reason}; readers are as large, as each may become the writer`,
  );
  const instance = findInstanceClass(instanceClass);
  const maximumOfInstance =
    mode === 'serverless' || instance === undefined
      ? maximumConnections(minimum, maximum)
      : connectionsOfInstance(instance);
  return {
    mode,
    minimumCapacityUnits: minimum,
    maximumCapacityUnits: maximum,
    instanceClass,
    maximumConnections: book.decide(
      'database.maximumConnections',
      maximumOfInstance,
      `Aurora's default for ${mode === 'serverless' ? `${minimum} to ${maximum} capacity units` : instanceClass}`,
    ),
  };
}

function decideReaders(
  book: FigureBook,
  stage: StageDefinition,
  load: PlannedLoad,
  capacity: Capacity,
): Pick<Database, 'readers' | 'maximumReaders' | 'readerCpuTargetPercent'> {
  const redundancy = redundancyOf(stage);
  const vcpus =
    capacity.mode === 'serverless'
      ? capacity.maximumCapacityUnits / CAPACITY_UNITS_PER_VCPU
      : (findInstanceClass(capacity.instanceClass)?.vcpus ?? 1);
  const readersFor = (some: Load): number => Math.ceil(readerVcpus(some) / vcpus);
  const least = redundancy.survivesZoneLoss ? 2 : 1;
  const readers = book.decide(
    'database.readers',
    Math.min(MOST_READERS, Math.max(least, readersFor(load.mean))),
    `${rounded(load.mean.databaseReads)} reads/s in the mean need ${readersFor(load.mean)}; at least ${least}, so that ${least > 1 ? 'reads go on while one takes over' : 'reads go the same way in every stage'}`,
  );
  const atPeak = Math.ceil(readersFor(load.event) * redundancy.zoneFactor);
  const spare = redundancy.survivesZoneLoss ? 1 : 0;
  return {
    readers,
    maximumReaders: book.decide(
      'database.maximumReaders',
      Math.min(MOST_READERS, Math.max(readers + spare, atPeak)),
      `${rounded(load.event.databaseReads)} reads/s at the highest peak need ${readersFor(load.event)}; ${redundancy.why}${spare > 0 ? '; one more than always, for what nobody foresaw' : ''}`,
    ),
    readerCpuTargetPercent: book.decide(
      'database.readerCpuTargetPercent',
      READER_CPU_TARGET_PERCENT,
      'a new reader takes minutes to start',
    ),
  };
}

/** Whether I/O-Optimized is worth its price, by what each way would cost this month. */
function decideIoOptimized(
  book: FigureBook,
  { policy, workload }: StageDefinition,
  load: PlannedLoad,
  database: Omit<Database, 'ioOptimized'>,
): boolean {
  const cost = (ioOptimized: boolean): number =>
    totalOf(databaseCost({ ...database, ioOptimized }, load.today, workload));
  const [standard, optimized] = [cost(false), cost(true)];
  const wanted = policy.database.ioOptimized;
  return book.decide(
    'database.ioOptimized',
    wanted === 'where-cheaper' ? optimized < standard * WORTHWHILE_FACTOR : wanted === 'always',
    `policy: ${wanted}; a month costs ${dollars(standard)} without and ${dollars(optimized)} with it, and less than a tenth is not worth the change`,
  );
}

/**
 * Sizes writer and readers.
 *
 * @param connections - how many connections one instance may be asked for at worst.
 */
export function sizeDatabase(
  book: FigureBook,
  stage: StageDefinition,
  load: PlannedLoad,
  connections: number,
): Database {
  const { database, retention } = stage.policy;
  const capacity = decideCapacity(book, stage, load, connections);
  const sized = {
    ...capacity,
    ...decideReaders(book, stage, load, capacity),
    backupRetentionDays: book.decide(
      'database.backupRetentionDays',
      retention.databaseBackupDays,
      'policy: how far back the database can be restored to any second',
    ),
    insights: book.decide('database.insights', database.insights, `policy: ${database.insights}`),
  };
  return { ...sized, ioOptimized: decideIoOptimized(book, stage, load, sized) };
}
