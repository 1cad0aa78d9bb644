/** What the caches of one process have done since it started. Plain numbers, for whoever exports metrics to read. */
export class CacheMetrics {
  /** Reads answered by this process's memory. */
  nearHits = 0;
  /** Reads that it could not answer while it was open. */
  nearMisses = 0;
  /** Reads that had to go past it because it may not be trusted: it is not notified of writes. */
  nearBypasses = 0;
  /** Loads that the near cache refused because something newer had been heard of, or nothing could be. */
  nearFillsRefused = 0;
  /** Reads answered by Redis. */
  redisHits = 0;
  redisMisses = 0;
  /** Entries in Redis too old to be answered: only their version was used. */
  redisStale = 0;
  /** Questions that Redis did not answer in time, or that it was not asked because it had not answered before. */
  redisSilences = 0;
  /** Loads from the database, by whom they were answered. */
  readerLoads = 0;
  writerLoads = 0;
  /** Loads that went to the writer because a reader was behind what is known to have been written. */
  readersBehind = 0;
  /** Reads that waited for another one's load. */
  sharedLoads = 0;
  /** Loads that waited for another process to put the entry into Redis. */
  leaseWaits = 0;
  /** Entries loaded again before they ended. */
  refreshes = 0;
  /** Reads refused because too many waited for the database. */
  shed = 0;
  /** Words of a write, from any process. */
  invalidationsReceived = 0;
  /** Entries that such a word has removed. */
  invalidated = 0;
  /** Times that the subscription was lost. */
  subscriptionLosses = 0;
  listHits = 0;
  listMisses = 0;
}
