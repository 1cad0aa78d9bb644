import type { ShardMetrics } from '../cache/cache-monitoring.ts';
import type { SystemMetrics } from './system-metrics.ts';
import { graph, note, type Row, text } from './widgets.ts';

/** The cache, and the sessions that are kept apart from it. */
export function cacheRows({ stage, cache }: SystemMetrics): readonly Row[] {
  const { alarms, size } = stage;
  const rowsOf = (shards: readonly ShardMetrics[]): readonly Row[] => [
    [
      graph({
        title: 'Engine CPU',
        metrics: shards.map(({ cpu }) => cpu),
        unit: 'percent',
        limit: alarms.cpuPercent,
      }),
      graph({
        title: 'Memory',
        metrics: shards.map(({ memory }) => memory),
        unit: 'percent',
        limit: alarms.cacheMemoryPercent,
      }),
      graph({
        title: 'Evictions',
        metrics: shards.map(({ evictions }) => evictions),
        unit: 'per minute',
      }),
    ],
    [
      graph({
        title: 'Keys found and not found',
        metrics: shards.flatMap(({ hits, misses }) => [hits, misses]),
        unit: 'per minute',
      }),
      ...(size.cache.replicas === 0
        ? []
        : [
            graph({
              title: 'Replication lag',
              metrics: shards.map(({ replicationLag }) => replicationLag),
              unit: 'seconds',
            }),
            graph({
              title: 'Primary changed',
              metrics: shards.map(({ failovers }) => failovers),
              unit: '1: in that minute',
            }),
          ]),
    ],
  ];
  return [
    [text('## Cache. Of each shard’s nodes, the one that is worst off.')],
    ...rowsOf(cache.cache),
    [text('## Sessions')],
    ...rowsOf(cache.sessions),
    [
      note(
        'Engine CPU is that of the one core that runs commands: a node with two cores is full at 50 % of its whole CPU.\n\n' +
          'The cache lets entries go when it is full, and they are read again from the database. Sessions are never let go: a full node refuses new ones, and logins fail.',
      ),
    ],
  ];
}
