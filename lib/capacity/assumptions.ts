/** How traffic behaves where the workload does not say so; each is a guess that a running stage's dashboards correct. */
export const assumptions = {
  /** Of the reads that the edge may keep, the share that it answers itself: hot users are read again within the seconds it keeps them. */
  edgeHitShare: 0.8,
  /** Of the reads that reach a task, the share that its own memory answers. */
  nearCacheHitShare: 0.3,
  /** Of the reads that the task's memory does not answer, the share that the cache cluster answers. */
  cacheHitShare: 0.95,
  /** A read that finds its reader behind the version it needs goes to the writer as well. */
  readerBehindShare: 0.01,
  /** Mean time that a statement keeps a connection, in seconds: a round trip within the region, and the statement. */
  connectionHeldSeconds: 0.004,
  /** Months ahead that sizes are good for: quotas and commitments are made for a year. */
  planningMonths: 12,
} as const;
