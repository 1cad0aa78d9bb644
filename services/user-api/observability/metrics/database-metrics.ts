import type { MetricDefinition } from './definition.ts';
import type { MetricSources } from './sources.ts';

type Pool = MetricSources['pools'][number];

const ofEachPool =
  (value: (pool: Pool) => number) =>
  ({ pools }: MetricSources) =>
    pools.map((pool) => ({ labels: { pool: pool.name }, value: value(pool) }));

/** The pools of connections to PostgreSQL: `writer`, `reader-1` and so on. */
export const databaseMetrics: readonly MetricDefinition[] = [
  {
    name: 'database_pool_connections_maximum',
    type: 'gauge',
    labels: ['pool'],
    help: 'Most connections that the pool opens.',
    read: ofEachPool(({ size }) => size),
  },
  {
    name: 'database_pool_queries_in_progress',
    type: 'gauge',
    labels: ['pool'],
    help: 'Queries that run or wait for a connection; more than there are connections means that some wait.',
    read: ofEachPool(({ metrics }) => metrics.inProgress),
  },
  {
    name: 'database_pool_queries_waiting',
    type: 'gauge',
    labels: ['pool'],
    help: 'Queries that wait for a connection.',
    read: ofEachPool(({ waiting }) => waiting),
  },
  {
    name: 'database_pool_queries_refused_total',
    type: 'counter',
    labels: ['pool'],
    help: 'Queries that were not sent, because no connection was free in time.',
    read: ofEachPool(({ metrics }) => metrics.refused),
  },
  {
    name: 'database_pool_query_duration_seconds',
    type: 'histogram',
    labels: ['pool'],
    help: 'Queries with their wait for a connection. The rate of its sum is how many are in progress on average.',
    read: ({ pools }) =>
      pools.map(({ name, metrics }) => ({ labels: { pool: name }, durations: metrics.durations })),
  },
  {
    name: 'database_pool_failures_total',
    type: 'counter',
    labels: ['pool', 'fault'],
    help: 'Failed queries: by fault of the server or the way to it, or of the statement, such as a duplicate.',
    read: ({ pools }) =>
      pools.flatMap(({ name, metrics }) => [
        { labels: { pool: name, fault: 'server' }, value: metrics.serverFailures },
        { labels: { pool: name, fault: 'statement' }, value: metrics.statementFailures },
      ]),
  },
  {
    name: 'database_pool_replacements_total',
    type: 'counter',
    labels: ['pool'],
    help: 'Times that all connections of the pool were replaced, as after a failover.',
    read: ofEachPool(({ metrics }) => metrics.replacements),
  },
];
