import type { UnitCost } from './unit-costs.ts';

/** How traffic behaves where the workload does not say so; each is a guess that a running stage's dashboards correct. */
export const assumptions = {
  edgeHitShare: {
    value: 0.8,
    unit: 'of the reads that the edge may keep',
    source: 'it answers them itself: hot users are read again within the seconds it keeps them',
  },
  nearCacheHitShare: {
    value: 0.3,
    unit: 'of the reads that reach a task',
    source: 'its own memory answers them',
  },
  cacheHitShare: {
    value: 0.95,
    unit: 'of the reads that ask the cache',
    source: 'the cache answers them: every user fits into it',
  },
  readerBehindShare: {
    value: 0.01,
    unit: 'of the reads of the database',
    source: 'a reader is behind the version they need, and the writer is asked as well',
  },
  connectionHeldSeconds: {
    value: 0.004,
    unit: 'seconds a statement',
    source: 'how long it keeps its connection: a round trip within the region, and the statement',
  },
  planningMonths: {
    value: 12,
    unit: 'months',
    source: 'how long sizes are good for: quotas and commitments are made for a year',
  },
} as const satisfies Record<string, UnitCost>;
