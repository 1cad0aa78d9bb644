/**
 * Upper bounds of the buckets, in seconds, both ends included as Prometheus has it. They are close where the API should be (a hit
 * in memory takes less than 1 ms, a round trip some), and the last ones are its timeouts.
 */
export const DURATION_BUCKETS_SECONDS = [
  0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/**
 * Durations in plain numbers, which are made into a metric when somebody asks. prom-client's own histogram makes a text of its labels
 * at each observation, which costs several times as much (docs/observability.md has the figures).
 */
export class DurationHistogram {
  /** Observations in each bucket alone; the last one is beyond all bounds. */
  readonly buckets: number[] = new Array<number>(DURATION_BUCKETS_SECONDS.length + 1).fill(0);
  /** Of all observations, in seconds. */
  sum = 0;

  observe(seconds: number): void {
    this.sum += seconds;
    let bucket = 0;
    for (const bound of DURATION_BUCKETS_SECONDS) {
      if (seconds <= bound) break;
      bucket += 1;
    }
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
  }
}

/** What the caches of one process have done since it started. Plain numbers, for the export of metrics. */
export class CacheMetrics {
  /** Reads that this process's memory served. */
  nearHits = 0;
  /** Reads that it did not have while it was open. */
  nearMisses = 0;
  /** Reads that had to go past it because it may not be trusted: it is not notified of writes. */
  nearBypasses = 0;
  /** Loads that the near cache refused because a newer version was known, or might have been missed. */
  nearFillsRefused = 0;
  /** Reads that Redis served. */
  redisHits = 0;
  redisMisses = 0;
  /** Entries in Redis too old to be served: only their version was used. */
  redisStale = 0;
  /** Reads that Redis did not reply to in time, or that skipped it because it had not replied before. */
  redisSilences = 0;
  /** Loads from the database, by server. */
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
  /** Invalidation messages, from any process. */
  invalidationsReceived = 0;
  /** Entries that such a message has removed. */
  invalidated = 0;
  /** Times that the subscription was lost. */
  subscriptionLosses = 0;
  listHits = 0;
  listMisses = 0;
}

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

/** The commands of one name. */
export interface RedisCommandSeries {
  readonly durations: DurationHistogram;
  failures: number;
}

/** What the process has asked of Redis since it started. */
export class RedisCommandCounts {
  readonly commands = new Map<string, RedisCommandSeries>();

  /** @param command - in lower case, one of the few that the service sends. */
  record(command: string, seconds: number, failed: boolean): void {
    let series = this.commands.get(command);
    if (series === undefined) {
      series = { durations: new DurationHistogram(), failures: 0 };
      this.commands.set(command, series);
    }
    series.durations.observe(seconds);
    if (failed) series.failures += 1;
  }
}

/** The requests of one method on one route. */
export class RequestSeries {
  readonly durations = new DurationHistogram();
  /** How many responses had each status. */
  readonly statuses = new Map<number, number>();

  record(status: number, seconds: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    this.durations.observe(seconds);
  }
}

/**
 * The responses of the process since it started. Two look-ups and some additions for each: the routes and methods are few
 * and known, so there is nothing here that a client could make grow.
 */
export class RequestMetrics {
  readonly #series = new Map<string, Map<string, RequestSeries>>();
  readonly #problems = new Map<string, Map<string, number>>();

  /** @param route - a pattern, never a path. */
  record(method: string, route: string, status: number, seconds: number): void {
    let byMethod = this.#series.get(route);
    if (byMethod === undefined) {
      byMethod = new Map();
      this.#series.set(route, byMethod);
    }
    let series = byMethod.get(method);
    if (series === undefined) {
      series = new RequestSeries();
      byMethod.set(method, series);
    }
    series.record(status, seconds);
  }

  recordProblem(route: string, problem: string): void {
    const byProblem = this.#problems.get(route) ?? new Map<string, number>();
    byProblem.set(problem, (byProblem.get(problem) ?? 0) + 1);
    this.#problems.set(route, byProblem);
  }

  *series(): Generator<{ method: string; route: string; series: RequestSeries }, void> {
    for (const [route, byMethod] of this.#series) {
      for (const [method, series] of byMethod) yield { method, route, series };
    }
  }

  *problems(): Generator<{ route: string; problem: string; count: number }, void> {
    for (const [route, byProblem] of this.#problems) {
      for (const [problem, count] of byProblem) yield { route, problem, count };
    }
  }
}
