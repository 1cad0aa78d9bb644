import type { RedisCommandSeries } from './counters.ts';
import type { MetricDefinition } from './definition.ts';
import type { MetricSources } from './sources.ts';

type Labels = { readonly connection: string; readonly command: string };

/** What is counted of each command, on each connection. */
const ofEachCommand = ({ redis }: MetricSources) =>
  redis.flatMap(({ name, client }) =>
    [...client.metrics.commands].map(([command, series]): [Labels, RedisCommandSeries] => [
      { connection: name, command },
      series,
    ]),
  );

/** Redis, by connection: `cache` is for caches and limits, `sessions` for sessions where they have one of their own. */
export const redisMetrics: readonly MetricDefinition[] = [
  {
    name: 'redis_connected',
    type: 'gauge',
    labels: ['connection'],
    help: '1 while Redis can be sent commands, 0 while it cannot. Absent where there is none.',
    read: ({ redis }) =>
      redis.map(({ name, client }) => ({
        labels: { connection: name },
        value: client.status === 'ready' ? 1 : 0,
      })),
  },
  {
    name: 'redis_command_duration_seconds',
    type: 'histogram',
    labels: ['connection', 'command'],
    help: 'Redis commands until they are answered, refused or given up.',
    read: (sources) =>
      ofEachCommand(sources).map(([labels, { durations }]) => ({ labels, durations })),
  },
  {
    name: 'redis_command_failures_total',
    type: 'counter',
    labels: ['connection', 'command'],
    help: 'Redis commands that were refused or not answered in time; the first call of a script in a new Redis is one.',
    read: (sources) =>
      ofEachCommand(sources).map(([labels, { failures }]) => ({ labels, value: failures })),
  },
];
