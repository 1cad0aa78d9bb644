import { DurationHistogram } from './duration-histogram.ts';

/** What one pool of database connections has done since the process started, in plain numbers. */
export class PoolMetrics {
  /** Queries that run, or wait for a connection. */
  inProgress = 0;
  readonly durations = new DurationHistogram();
  /** Queries that were not sent, because no connection was free in time. */
  refused = 0;
  /** Queries that failed because of the server or the way to it. */
  serverFailures = 0;
  /** Queries that the server refused for what they are, such as a duplicate. */
  statementFailures = 0;
  /** Times that all connections were replaced. */
  replacements = 0;
}
