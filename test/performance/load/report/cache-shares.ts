import type { Second } from '../timeline.ts';

/** Of the reads between two samples, how many percent each layer answered. */
export interface CacheShares {
  /** When the later sample came, in seconds since the beginning. */
  readonly at: number;
  readonly percent: ReadonlyMap<string, number>;
}

/**
 * What the counters of a service say of the reads between its samples. Seconds without a sample, as those that a phase cuts short, are left out, and
 * so is the time in which nothing was read: each entry has a share for every layer, and they add up to 100.
 */
export function cacheShares(seconds: readonly Second[]): CacheShares[] {
  const samples = seconds.flatMap(({ at, metrics }) =>
    metrics === null ? [] : [{ at, reads: metrics.readsByLayer }],
  );
  const layers = [...new Set(samples.flatMap(({ reads }) => Object.keys(reads)))];
  return samples.slice(1).flatMap(({ at, reads }, index): CacheShares[] => {
    const before = samples[index]?.reads ?? {};
    const responded = layers.map((layer) => {
      const now = reads[layer] ?? 0;
      const earlier = before[layer] ?? 0;
      // A counter that fell began again.
      return [layer, now >= earlier ? now - earlier : now] as const;
    });
    const all = responded.reduce((sum, [, count]) => sum + count, 0);
    if (all === 0) return [];
    return [
      { at, percent: new Map(responded.map(([layer, count]) => [layer, (count / all) * 100])) },
    ];
  });
}
