import { median } from '../statistics.ts';

/** One value and when it was taken, in seconds since the beginning. */
export interface Point {
  readonly seconds: number;
  readonly value: number;
}

export interface Trend {
  /** Median of the slopes between all pairs of points (Theil–Sen): up to 29 % of the points may be anything and it still holds. Per second. */
  readonly slope: number;
  /**
   * The Mann–Kendall statistic, in standard deviations: how much oftener a later value is above an earlier one than by chance. Above 2.33 there is a
   * growth with 99 % confidence.
   */
  readonly significance: number;
}

/**
 * How a series grows, without regard to outliers.
 *
 * Sen, "Estimates of the regression coefficient based on Kendall's tau" (1968); Mann, "Nonparametric tests against trend" (1945).
 *
 * @throws {RangeError} for fewer than two points at different times.
 */
export function trendOf(points: readonly Point[]): Trend {
  const slopes: number[] = [];
  let score = 0;
  for (const [index, later] of points.entries()) {
    for (const earlier of points.slice(0, index)) {
      const time = later.seconds - earlier.seconds;
      if (time <= 0) continue;
      slopes.push((later.value - earlier.value) / time);
      score += Math.sign(later.value - earlier.value);
    }
  }
  if (slopes.length === 0) throw new RangeError('A trend takes two points at different times');
  const count = points.length;
  const deviation = Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
  // One less, as a score of whole numbers is taken for one of any.
  const corrected = score - Math.sign(score);
  return { slope: median(slopes), significance: corrected / deviation };
}
