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
