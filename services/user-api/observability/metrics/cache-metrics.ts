import { byLabel, type MetricDefinition, type Sample, single } from './definition.ts';
import type { MetricSources } from './sources.ts';

type Counters = MetricSources['caches']['metrics'];

/** Single users layer by layer: what one layer did not have, the next is asked for. */
function reads(counters: Counters): readonly Sample[] {
  const sample = (layer: string, result: string, value: number) => ({
    labels: { layer, result },
    value,
  });
  return [
    sample('near', 'hit', counters.nearHits),
    sample('near', 'miss', counters.nearMisses),
    sample('near', 'bypass', counters.nearBypasses),
    sample('redis', 'hit', counters.redisHits),
    sample('redis', 'miss', counters.redisMisses),
    sample('redis', 'stale', counters.redisStale),
    sample('redis', 'silence', counters.redisSilences),
    sample('reader', 'load', counters.readerLoads),
    sample('writer', 'load', counters.writerLoads),
    sample('lists', 'hit', counters.listHits),
    sample('lists', 'miss', counters.listMisses),
  ];
}

const isUp = (up: boolean) => single(up ? 1 : 0);

/** The cache in this process's memory (near), Redis, and the loads from the database behind them. */
export const cacheMetrics: readonly MetricDefinition[] = [
  {
    name: 'cache_reads_total',
    type: 'counter',
    labels: ['layer', 'result'],
    help: 'Reads of single users by layer (near, redis, then reader or writer of the database), and of pages of lists. Bypass: the near cache was not notified of writes. Stale: what Redis had was too old. Silence: Redis did not answer in time.',
    read: ({ caches }) => reads(caches.metrics),
  },
  {
    name: 'cache_entries',
    type: 'gauge',
    labels: ['cache'],
    help: 'Entries in this process: single users (near) and pages of lists.',
    read: ({ caches: { near, lists } }) =>
      byLabel('cache', { near: near.count, lists: lists.count }),
  },
  {
    name: 'cache_bytes',
    type: 'gauge',
    labels: ['cache'],
    help: 'Memory that the entries of this process take, as NEAR_CACHE_BYTES counts it.',
    read: ({ caches: { near, lists } }) =>
      byLabel('cache', { near: near.bytes, lists: lists.bytes }),
  },
  {
    name: 'cache_near_open',
    type: 'gauge',
    help: '1 while the near cache is notified of writes and answers, 0 while it does not.',
    read: ({ caches }) => isUp(caches.near.isOpen),
  },
  {
    name: 'cache_evictions_total',
    type: 'counter',
    help: 'Entries that made room for others in the near cache.',
    read: ({ caches }) => single(caches.near.evictions),
  },
  {
    name: 'cache_fills_refused_total',
    type: 'counter',
    help: 'Loads that the near cache did not take, because something newer was known or could have been missed.',
    read: ({ caches }) => single(caches.metrics.nearFillsRefused),
  },
  {
    name: 'cache_refreshes_total',
    type: 'counter',
    help: 'Entries that were loaded again before they ended.',
    read: ({ caches }) => single(caches.metrics.refreshes),
  },
  {
    name: 'cache_invalidations_total',
    type: 'counter',
    labels: ['result'],
    help: 'Invalidation messages by any process: all received, and those that removed an entry.',
    read: ({ caches: { metrics } }) =>
      byLabel('result', { received: metrics.invalidationsReceived, removed: metrics.invalidated }),
  },
  {
    name: 'cache_subscription_losses_total',
    type: 'counter',
    help: 'Times that the subscription to writes was lost, which empties the near cache.',
    read: ({ caches }) => single(caches.metrics.subscriptionLosses),
  },
  {
    name: 'cache_loads_shared_total',
    type: 'counter',
    labels: ['with'],
    help: 'Reads that waited for a load instead of beginning one: of this process, or of another.',
    read: ({ caches: { metrics } }) =>
      byLabel('with', { 'this process': metrics.sharedLoads, another: metrics.leaseWaits }),
  },
  {
    name: 'cache_loads_shed_total',
    type: 'counter',
    help: 'Reads that were refused because too many waited for the database.',
    read: ({ caches }) => single(caches.metrics.shed),
  },
  {
    name: 'cache_readers_behind_total',
    type: 'counter',
    help: 'Loads that went on to the writer because a reader was behind what is known to have been written.',
    read: ({ caches }) => single(caches.metrics.readersBehind),
  },
];
