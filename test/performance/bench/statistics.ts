/** The middle of several measurements of one thing, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * The median: the middle value, or the mean of the two middle ones.
 *
 * @throws {RangeError} when there are no values.
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) {
    throw new RangeError('There is no median of no values');
  }
  return (lower + upper) / 2;
}

/** @throws {RangeError} when there are no values. */
export function spread(values: readonly number[]): Spread {
  return {
    median: median(values),
    minimum: Math.min(...values),
    maximum: Math.max(...values),
  };
}

/**
 * `numerators[i] / denominators[i]` for each round `i` that has both. Dividing within a round, before taking the median, takes
 * out what a slow minute of the machine did to both.
 */
export function ratiosByRound(
  numerators: readonly (number | null | undefined)[],
  denominators: readonly (number | null | undefined)[],
): number[] {
  return numerators.flatMap((numerator, round) => {
    const denominator = denominators[round];
    const known = typeof numerator === 'number' && typeof denominator === 'number';
    return known && denominator !== 0 ? [numerator / denominator] : [];
  });
}
