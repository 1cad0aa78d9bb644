import type { StageSize } from '../config/size.ts';
import type { StageDefinition } from '../config/stage.ts';
import { assumptions } from './assumptions.ts';
import { redundancyOf } from './availability.ts';
import { maximumConnections, smallestCapacityFor } from './connections.ts';
import {
  connectionsOfInstance,
  findInstanceClass,
  type InstanceClass,
  instanceClasses,
} from './database-instances.ts';
import type { FigureBook } from './figures.ts';
import type { Load, PlannedLoad } from './load.ts';
import { rounded } from './rounded.ts';
import { unitCosts } from './unit-costs.ts';

const PERCENT = 100;
/** Average CPU that instances are chosen for: a failover doubles what the one that is left has to do. */
const CPU_TARGET_PERCENT = 50;
/** CPU of the readers that adds another one. */
const READER_CPU_TARGET_PERCENT = 60;
/** An Aurora capacity unit is 2 GiB with the CPU that goes with them; memory-optimised instances have 8 GiB a vCPU. */
const CAPACITY_UNITS_PER_VCPU = 4;
const LEAST_CAPACITY_UNITS = 0.5;
const CAPACITY_STEP = 0.5;
/** With less, Performance Insights and many connections leave no memory for the data (AWS's advice for Serverless v2). */
const LEAST_REPLICATED_CAPACITY_UNITS = 2;
const MOST_CAPACITY_UNITS = 256;
/** An idle stage still migrates, and is looked at: how far it can grow at least, as a multiple of the least capacity. */
const LEAST_ROOM_TO_GROW = 2;
const MOST_READERS = 15;

const vcpusToWrite = (load: Load): number =>
  (load.writes / unitCosts.databaseWritesPerVcpu.value +
    (load.databaseReads * assumptions.readerBehindShare) / unitCosts.databaseReadsPerVcpu.value) /
  (CPU_TARGET_PERCENT / PERCENT);
const vcpusToRead = (load: Load): number =>
  load.databaseReads / unitCosts.databaseReadsPerVcpu.value / (CPU_TARGET_PERCENT / PERCENT);

/** Units in whole steps, within what Aurora has. */
const capacityUnits = (vcpus: number): number =>
  Math.min(
    MOST_CAPACITY_UNITS,
    Math.max(
      LEAST_CAPACITY_UNITS,
      Math.ceil((vcpus * CAPACITY_UNITS_PER_VCPU) / CAPACITY_STEP) * CAPACITY_STEP,
    ),
  );

function chooseClass(vcpus: number, connections: number): InstanceClass {
  const chosen =
    instanceClasses.find(
      (candidate) => candidate.vcpus >= vcpus && connectionsOfInstance(candidate) > connections,
    ) ?? instanceClasses.at(-1);
  if (chosen === undefined) throw new Error('There is no instance class to choose from.');
  return chosen;
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
): StageSize['database'] {
  const { policy } = stage;
  const redundancy = redundancyOf(stage);
  const writerVcpus = vcpusToWrite(load.event);
  const reason = `${rounded(load.event.writes)} writes/s at ${unitCosts.databaseWritesPerVcpu.value} a vCPU and ${CPU_TARGET_PERCENT} % CPU are ${rounded(writerVcpus)} vCPUs; ${connections} connections may be asked for`;
  const mode = book.decide(
    'database.mode',
    policy.database.mode,
    `policy: ${policy.database.mode}`,
  );
  const leastUnits = redundancy.replicated ? LEAST_REPLICATED_CAPACITY_UNITS : LEAST_CAPACITY_UNITS;
  const minimumUnits = book.decide(
    'database.minimumCapacityUnits',
    Math.max(leastUnits, capacityUnits(vcpusToWrite(load.mean))),
    `what the mean load needs, at least ${leastUnits}`,
  );
  const maximumUnits = book.decide(
    'database.maximumCapacityUnits',
    Math.min(
      MOST_CAPACITY_UNITS,
      Math.max(
        LEAST_ROOM_TO_GROW * minimumUnits,
        capacityUnits(writerVcpus),
        smallestCapacityFor(connections),
      ),
    ),
    `${reason}; a vCPU is ${CAPACITY_UNITS_PER_VCPU} units; at least ${LEAST_ROOM_TO_GROW} × the least`,
  );
  const instanceClass = book.decide(
    'database.instanceClass',
    chooseClass(writerVcpus, connections).name,
    `${reason}; readers are as large, as each may become the writer`,
  );
  const instance = findInstanceClass(instanceClass);
  const readerVcpus =
    mode === 'serverless' ? maximumUnits / CAPACITY_UNITS_PER_VCPU : (instance?.vcpus ?? 1);
  const readersFor = (some: Load): number => Math.ceil(vcpusToRead(some) / readerVcpus);
  const leastReaders = redundancy.survivesZoneLoss ? 2 : 1;
  const readers = book.decide(
    'database.readers',
    Math.min(MOST_READERS, Math.max(leastReaders, readersFor(load.mean))),
    `${rounded(load.mean.databaseReads)} reads/s in the mean; at least ${leastReaders}, so that ${leastReaders > 1 ? 'reads go on while one takes over' : 'the path of reads is that of every stage'}`,
  );
  return {
    mode,
    minimumCapacityUnits: minimumUnits,
    maximumCapacityUnits: maximumUnits,
    instanceClass,
    readers,
    maximumReaders: book.decide(
      'database.maximumReaders',
      Math.min(
        MOST_READERS,
        Math.max(
          readers,
          Math.ceil(readersFor(load.event) * redundancy.zoneFactor) +
            (redundancy.survivesZoneLoss ? 1 : 0),
        ),
      ),
      `${rounded(load.event.databaseReads)} reads/s at the highest peak need ${readersFor(load.event)}; ${redundancy.why}`,
    ),
    readerCpuTargetPercent: book.decide(
      'database.readerCpuTargetPercent',
      READER_CPU_TARGET_PERCENT,
      'a new reader takes minutes to start',
    ),
    maximumConnections: book.decide(
      'database.maximumConnections',
      mode === 'serverless' || instance === undefined
        ? maximumConnections(minimumUnits, maximumUnits)
        : connectionsOfInstance(instance),
      `Aurora's default for ${mode === 'serverless' ? `${minimumUnits} to ${maximumUnits} capacity units` : instanceClass}`,
    ),
    backupRetentionDays: book.decide(
      'database.backupRetentionDays',
      policy.retention.databaseBackupDays,
      'policy: how far back the database can be restored to any second',
    ),
    ioOptimized: book.decide(
      'database.ioOptimized',
      policy.database.ioOptimized === 'always',
      `policy: ${policy.database.ioOptimized}`,
    ),
    insights: book.decide(
      'database.insights',
      policy.database.insights,
      `policy: ${policy.database.insights}`,
    ),
  };
}
