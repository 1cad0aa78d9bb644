import type { StageSize } from '../../config/size.ts';
import type { Workload } from '../../config/workload.ts';
import { findInstanceClass } from '../data/database-instances.ts';
import { GIGABYTE, HOURS_PER_MONTH, millionsAMonth } from '../data/month.ts';
import {
  AURORA_DOLLARS_PER_VCPU_HOUR,
  IO_OPTIMIZED_FACTOR,
  type Price,
  prices,
} from '../data/prices.ts';
import { unitCosts } from '../data/unit-costs.ts';
import { readerCapacityUnits, writerCapacityUnits } from '../load/database-load.ts';
import type { Load } from '../load/load.ts';
import { type CostLine, costLine, scaledPrice } from './cost-line.ts';

/** Capacity that all instances have in the mean, in Aurora capacity units: the first reader follows the writer. */
function meanCapacityUnits(database: StageSize['database'], load: Load): number {
  const { minimumCapacityUnits: least, maximumCapacityUnits: most, readers } = database;
  const within = (units: number): number => Math.min(most, Math.max(least, units));
  const writer = within(writerCapacityUnits(load));
  const reader = within(readerCapacityUnits(load) / Math.max(1, readers));
  const first = Math.max(writer, reader);
  return writer + (readers > 0 ? first + (readers - 1) * reader : 0);
}

function instances(database: StageSize['database'], load: Load): CostLine[] {
  const factor = database.ioOptimized ? IO_OPTIMIZED_FACTOR : 1;
  const advanced = database.insights === 'advanced';
  if (database.mode === 'serverless') {
    const hours = meanCapacityUnits(database, load) * HOURS_PER_MONTH;
    return [
      costLine('database', 'capacity', hours, scaledPrice(prices.auroraCapacityUnit, factor)),
      ...(advanced
        ? [costLine('database', 'insights', hours, prices.insightsPerCapacityUnit)]
        : []),
    ];
  }
  const vcpus = findInstanceClass(database.instanceClass)?.vcpus ?? 0;
  const count = 1 + database.readers;
  const instance: Price = {
    dollars: vcpus * AURORA_DOLLARS_PER_VCPU_HOUR * factor,
    per: `hour of ${database.instanceClass}`,
    source: prices.auroraStorage.source,
  };
  return [
    costLine('database', 'instances', count * HOURS_PER_MONTH, instance),
    ...(advanced
      ? [costLine('database', 'insights', count * vcpus * HOURS_PER_MONTH, prices.insightsPerVcpu)]
      : []),
  ];
}

/** What the database costs a month. */
export function databaseCost(
  database: StageSize['database'],
  load: Load,
  { users }: Pick<Workload, 'users'>,
): CostLine[] {
  const gigabytes = (users * unitCosts.databaseBytesPerUser.value) / GIGABYTE;
  // As much as the database is large is free, and a day of it there is always.
  const backups =
    gigabytes *
    unitCosts.databaseDailyChangeShare.value *
    Math.max(0, database.backupRetentionDays - 1);
  const ios = millionsAMonth(
    load.writes * unitCosts.databaseIosPerWrite.value +
      load.databaseReads * unitCosts.databaseIosPerRead.value,
  );
  return [
    ...instances(database, load),
    costLine(
      'database',
      'storage',
      gigabytes,
      database.ioOptimized ? prices.auroraOptimizedStorage : prices.auroraStorage,
    ),
    ...(database.ioOptimized ? [] : [costLine('database', 'I/O', ios, prices.auroraIo)]),
    costLine('database', 'backups', backups, prices.auroraBackup),
  ];
}
