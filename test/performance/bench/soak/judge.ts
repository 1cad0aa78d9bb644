import { median } from '../statistics.ts';
import { type Point, trendOf } from './trend.ts';

/** What was seen in one interval of a soak. */
export interface SoakSample {
  /** When the interval ended, since the load began. */
  readonly seconds: number;
  readonly rssBytes: number;
  /** V8's heap after a collection. */
  readonly heapBytes: number;
  /** Buffers outside of it. */
  readonly externalBytes: number;
  readonly eventLoopDelayP99Milliseconds: number;
  readonly requestsPerSecond: number;
  /** Latencies in milliseconds, from when a request was due. */
  readonly readP50Milliseconds: number;
  readonly readP99Milliseconds: number;
  readonly writeP50Milliseconds: number;
  readonly writeP99Milliseconds: number;
  readonly failures: number;
  /** Share of the server's core that other processes used, 0 to 1; null where the system does not report it. */
  readonly disturbance: number | null;
}

/** What a soak is judged by. */
interface Rule {
  readonly name: string;
  readonly quantity: (sample: SoakSample) => number;
  /** The most that it may grow over the judged part, as a share of its median. */
  readonly tolerance: number;
  /** Less growth than this is none, in the unit of the value: of small values, noise is a large share. */
  readonly negligible: number;
  readonly unit: 'MiB' | 'ms';
}

const MEBIBYTE = 2 ** 20;

/**
 * Memory may grow by 5 % over the judged part: over seven and a half minutes, that is a leak which doubles what is in use in two and a half hours, and
 * more than caches that are full, and code that is still being compiled, come to. Latency is noisier; a leak of time (a list that is gone
 * through, a growing queue) doubles it.
 */
const RULES: readonly Rule[] = [
  {
    name: 'heap after a collection',
    quantity: ({ heapBytes }) => heapBytes / MEBIBYTE,
    tolerance: 0.05,
    negligible: 2,
    unit: 'MiB',
  },
  {
    name: 'buffers outside of the heap',
    quantity: ({ externalBytes }) => externalBytes / MEBIBYTE,
    tolerance: 0.05,
    negligible: 2,
    unit: 'MiB',
  },
  {
    name: 'resident memory',
    quantity: ({ rssBytes }) => rssBytes / MEBIBYTE,
    tolerance: 0.05,
    negligible: 8,
    unit: 'MiB',
  },
  {
    name: 'p50 of reads',
    quantity: ({ readP50Milliseconds }) => readP50Milliseconds,
    tolerance: 0.5,
    negligible: 0.5,
    unit: 'ms',
  },
  {
    name: 'p99 of reads',
    quantity: ({ readP99Milliseconds }) => readP99Milliseconds,
    tolerance: 0.5,
    negligible: 2,
    unit: 'ms',
  },
  {
    name: 'p50 of writes',
    quantity: ({ writeP50Milliseconds }) => writeP50Milliseconds,
    tolerance: 0.5,
    negligible: 2,
    unit: 'ms',
  },
  {
    name: 'delay of the event loop, p99',
    quantity: ({ eventLoopDelayP99Milliseconds }) => eventLoopDelayP99Milliseconds,
    tolerance: 0.5,
    negligible: 2,
    unit: 'ms',
  },
];

/** Share of the intervals at the beginning that are not judged: caches fill, code is compiled, and what is kept for two minutes comes to its full number. */
const WARM_UP_SHARE = 0.25;
/** Standard deviations above which a growth is no chance: 99 % confidence, of one side. */
const SIGNIFICANT = 2.33;
/** Fewer tell nothing. */
export const JUDGED_MINIMUM = 8;

/** How one quantity did. */
export interface SoakFinding {
  readonly name: string;
  readonly unit: Rule['unit'];
  readonly median: number;
  /** Over the judged part, by its median slope. */
  readonly growth: number;
  /** The most that was allowed. */
  readonly allowed: number;
  /** In standard deviations: see `trendOf`. */
  readonly significance: number;
  readonly passed: boolean;
}

export interface SoakVerdict {
  readonly passed: boolean;
  readonly findings: readonly SoakFinding[];
  /** From when on it was judged, in seconds. */
  readonly judgedFrom: number;
  /** Requests that failed; one is enough for the soak to fail. */
  readonly failures: number;
  /** Median share of the server's core that other processes used; above some percent, latency tells of them. */
  readonly disturbance: number | null;
}

/**
 * Judges that memory is flat and latency does not grow. A quantity fails when its growth is more than is allowed **and** is no chance.
 *
 * @throws {RangeError} for fewer samples than can be judged.
 */
export function judgeSoak(samples: readonly SoakSample[]): SoakVerdict {
  const judged = samples.slice(Math.ceil(samples.length * WARM_UP_SHARE));
  const [first] = judged;
  if (first === undefined || judged.length < JUDGED_MINIMUM) {
    throw new RangeError(
      `A soak is judged by ${JUDGED_MINIMUM} samples or more after its warm-up; there are ${judged.length}`,
    );
  }
  const findings = RULES.map((rule) => find(rule, judged));
  const disturbances = judged.flatMap(({ disturbance }) => disturbance ?? []);
  const failures = samples.reduce((sum, sample) => sum + sample.failures, 0);
  return {
    passed: failures === 0 && findings.every(({ passed }) => passed),
    findings,
    judgedFrom: first.seconds,
    failures,
    disturbance: disturbances.length === 0 ? null : median(disturbances),
  };
}

function find(
  { name, negligible, tolerance, unit, quantity }: Rule,
  judged: readonly SoakSample[],
): SoakFinding {
  const points: Point[] = judged.map((sample) => ({
    seconds: sample.seconds,
    value: quantity(sample),
  }));
  const { significance, slope } = trendOf(points);
  const duration = (points.at(-1)?.seconds ?? 0) - (points[0]?.seconds ?? 0);
  const middle = median(points.map(({ value }) => value));
  const growth = slope * duration;
  const allowed = Math.max(negligible, tolerance * middle);
  const passed = growth <= allowed || significance < SIGNIFICANT;
  return { name, unit, median: middle, growth, allowed, significance, passed };
}
