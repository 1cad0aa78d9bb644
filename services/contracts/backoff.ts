/** Exponential delay in milliseconds: `first`, doubled by each further failure, at most `longest`. */
export function exponentialDelay(failures: number, first: number, longest: number): number {
  return Math.min(first * 2 ** (failures - 1), longest);
}

/** Between half of it and all of it, so that many processes do not act at once. */
export function withJitter(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random() / 2);
}
