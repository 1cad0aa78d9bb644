import { type Comparison, lessIsBetter, type Measurement, type Target } from './measurement.ts';
import { ratiosByRound, type Spread, spread } from './statistics.ts';

/** How a target came out. */
export interface Verdict {
  readonly target: Target;
  /** The ratio, or the figure, in each round, summed up; for `speed`, the worse one of the two below. */
  readonly ratio: Spread;
  /** Ratio of operations a second. */
  readonly throughput: Spread | null;
  /** Inverse ratio of CPU times per operation. */
  readonly cpu: Spread | null;
  /** Whether the median meets the target. */
  readonly met: boolean;
}

/** Measurements by round; null for a run that failed. */
type Rounds = readonly (Measurement | null)[];
type Quantity = (measurement: Measurement) => number | null;

const throughputOf: Quantity = ({ operationsPerSecond }) => operationsPerSecond;

/** Operations a second of CPU time, so that a ratio of it is the inverse ratio of CPU times. */
const cpuSpeedOf: Quantity = ({ cpuMicrosecondsPerOperation: cpu }) =>
  cpu === null || cpu === 0 ? null : 1 / cpu;

const quantities: Readonly<Record<Exclude<Comparison, 'speed' | 'figure'>, Quantity>> = {
  throughput: throughputOf,
  capacity: ({ processes, cpuMicrosecondsPerOperation: cpu }) =>
    cpu === null || cpu === 0 ? null : processes / cpu,
  p99: ({ latency }) => latency?.p99 ?? null,
  duration: ({ operationsPerSecond }) => 1 / operationsPerSecond,
};

function ratioOf(quantity: Quantity, subject: Rounds, against: Rounds): Spread | null {
  const known = (one: Measurement | null) => (one === null ? null : quantity(one));
  const ratios = ratiosByRound(subject.map(known), against.map(known));
  return ratios.length === 0 ? null : spread(ratios);
}

/** The one with the lower median; null only when both are. */
function lower(one: Spread | null, other: Spread | null): Spread | null {
  if (one === null || other === null) return one ?? other;
  return one.median <= other.median ? one : other;
}

/**
 * @param subject - measurements of the target's subject, by round.
 * @param against - measurements of what it is compared with, by round; none for a figure.
 * @returns null when no round has what the comparison needs of both.
 */
export function judge(target: Target, subject: Rounds, against: Rounds): Verdict | null {
  const throughput = ratioOf(throughputOf, subject, against);
  const cpu = ratioOf(cpuSpeedOf, subject, against);
  const ratio = compare(target, subject, against, { throughput, cpu });
  if (ratio === null) return null;
  const met = lessIsBetter(target.comparison)
    ? ratio.median <= target.bound
    : ratio.median >= target.bound;
  return { target, ratio, throughput, cpu, met };
}

function compare(
  { comparison, against: figure }: Target,
  subject: Rounds,
  against: Rounds,
  { throughput, cpu }: Pick<Verdict, 'throughput' | 'cpu'>,
): Spread | null {
  switch (comparison) {
    case 'speed':
      return lower(throughput, cpu);
    case 'figure': {
      const values = subject.flatMap((one) => one?.figures?.[figure] ?? []);
      return values.length === 0 ? null : spread(values);
    }
    default:
      return ratioOf(quantities[comparison], subject, against);
  }
}
