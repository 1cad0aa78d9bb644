/**
 * Probabilistic early expiration, "XFetch": Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede
 * Prevention", PVLDB 8(8), 2015 (https://www.vldb.org/pvldb/vol8/p886-vattani.pdf), algorithm 1 with β = 1. An entry that takes δ to load
 * is loaded again `δ × -ln(random)` before it ends, drawn at each use. An entry that is used much is so renewed by one of its users before
 * all of them would have to wait, an entry that is used rarely is not renewed at all, and processes don't do it at the same time.
 */
export function refreshesEarly(
  now: number,
  end: number,
  loadMilliseconds: number,
  random: () => number = Math.random,
): boolean {
  // 1 - random is never 0, of which the logarithm would be infinite.
  return now - loadMilliseconds * Math.log(1 - random()) >= end;
}

/** One draw in 10,000 lies further from the end than this many times δ: before that, drawing is not worth its time. */
const LONGEST_DRAW = -Math.log(1 / 10_000);

/** From when on {@link refreshesEarly} is worth asking. */
export function earliestRefresh(end: number, loadMilliseconds: number): number {
  return end - LONGEST_DRAW * loadMilliseconds;
}
