import type { SystemMetrics } from './system-metrics.ts';
import { graph, note, type Row, text } from './widgets.ts';

/** Aurora: the writer and the readers by their roles, which instances swap. */
export function databaseRows({ stage, database }: SystemMetrics): readonly Row[] {
  const { alarms, size } = stage;
  const serverless = size.database.mode === 'serverless';
  return [
    [text('## Aurora PostgreSQL: writer and readers')],
    [
      graph({
        title: 'CPU',
        metrics: [database.writerCpu, database.readerCpu],
        unit: 'percent',
        limit: alarms.cpuPercent,
      }),
      graph({
        title: 'Connections',
        metrics: [database.writerConnections, database.readerConnections],
        unit: 'connections',
        limit: alarms.databaseConnections,
      }),
      graph({
        title: 'Free memory',
        metrics: [database.writerMemory, database.readerMemory],
        unit: 'bytes',
        limit: alarms.databaseFreeMemoryBytes,
      }),
    ],
    [
      graph({
        title: 'Replica lag',
        metrics: [database.replicaLag],
        unit: 'milliseconds',
        limit: alarms.replicaLagMilliseconds,
      }),
      graph({ title: 'Commits', metrics: [database.commits], unit: 'per second' }),
      graph({ title: 'Commit latency', metrics: [database.commitLatency], unit: 'milliseconds' }),
    ],
    [
      graph({ title: 'Deadlocks', metrics: [database.deadlocks], unit: 'per second' }),
      graph({
        title: 'Data',
        metrics: [database.storage],
        unit: 'bytes',
        limit: alarms.databaseStorageBytes,
      }),
      ...(serverless
        ? [
            graph({
              title: 'Capacity in use',
              metrics: [database.capacity],
              unit: 'percent of the most',
            }),
          ]
        : [
            graph({
              title: 'Room for temporary files',
              metrics: [database.localStorage],
              unit: 'bytes',
            }),
          ]),
    ],
    [
      graph({
        title: 'Transaction ids that wait for vacuum',
        metrics: [database.transactionIds],
        unit: 'ids',
      }),
      note(
        `An instance takes ${size.database.maximumConnections} connections. The largest stage with a deployment in the middle of a failover stays below that: the budget is in \`npm run plan\`.\n\n` +
          (serverless
            ? 'Free memory is what there is with the largest capacity: it does not fall because Aurora scaled in.'
            : 'Temporary files are on the instance’s own disk, which does not grow.'),
      ),
    ],
  ];
}
