import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { MetricsSample } from './metrics.ts';

/** How requests ended. `limited` is 429; `failed` had no response at all. */
export interface Outcomes {
  readonly succeeded: number;
  readonly limited: number;
  /** Other answers from 400 to 499. */
  readonly refused: number;
  /** 500 and above. */
  readonly errors: number;
  readonly failed: number;
}

/** Latencies in milliseconds; null where nothing was answered. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly maximum: number;
}

/** One second of the run. */
export interface Second {
  /** Seconds since the run began, at the end of this one. */
  readonly at: number;
  readonly phase: string;
  readonly connections: number;
  /** How long it really was, in seconds. */
  readonly length: number;
  readonly outcomes: Outcomes;
  readonly latency: Percentiles | null;
  /** What the service said of itself in it; null when it was not asked, or did not answer. */
  readonly metrics: MetricsSample | null;
}

const MICROSECONDS = 1_000;
/** Latencies are kept to three digits, from a microsecond to an hour. */
const HISTOGRAM = { lowest: 1, highest: 3_600_000_000, figures: 3 } as const;

const none = (): { -readonly [Name in keyof Outcomes]: number } => ({
  succeeded: 0,
  limited: 0,
  refused: 0,
  errors: 0,
  failed: 0,
});

/** All requests of an outcome. */
export function totalOf(outcomes: Outcomes): number {
  return Object.values(outcomes).reduce((sum: number, count: number) => sum + count, 0);
}

export function addOutcomes(all: readonly Outcomes[]): Outcomes {
  const sum = none();
  for (const one of all) {
    for (const name of Object.keys(sum) as (keyof Outcomes)[]) sum[name] += one[name];
  }
  return sum;
}

/** Counts requests and their latencies until they are asked for. */
export class Tally {
  #outcomes = none();
  readonly #histogram: RecordableHistogram = createHistogram(HISTOGRAM);

  responded(status: number, milliseconds: number): void {
    this.#histogram.record(Math.max(1, Math.round(milliseconds * MICROSECONDS)));
    if (status < 400) this.#outcomes.succeeded += 1;
    else if (status === 429) this.#outcomes.limited += 1;
    else if (status < 500) this.#outcomes.refused += 1;
    else this.#outcomes.errors += 1;
  }

  failed(): void {
    this.#outcomes.failed += 1;
  }

  get outcomes(): Outcomes {
    return { ...this.#outcomes };
  }

  get latency(): Percentiles | null {
    const histogram = this.#histogram;
    if (histogram.count === 0) return null;
    const at = (percent: number) => histogram.percentile(percent) / MICROSECONDS;
    return {
      p50: at(50),
      p95: at(95),
      p99: at(99),
      p999: at(99.9),
      maximum: histogram.max / MICROSECONDS,
    };
  }

  reset(): void {
    this.#outcomes = none();
    this.#histogram.reset();
  }
}
