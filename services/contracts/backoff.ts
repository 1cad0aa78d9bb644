/**
 * How long to wait after so many failures in a row, in milliseconds: `first`, twice as long after each further one, and never longer than
 * `longest`.
 */
export function exponentialDelay(failures: number, first: number, longest: number): number {
  return Math.min(first * 2 ** (failures - 1), longest);
}

/** Between half of it and all of it, so that many processes do not act at once. */
export function withJitter(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random() / 2);
}
