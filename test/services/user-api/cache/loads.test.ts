import { beforeEach, describe, expect, it } from 'vitest';
import { LoadsInFlight } from '../../../../services/user-api/cache/loads.ts';
import type { VersionedEntry } from '../../../../services/user-api/cache/versioned-cache.ts';
import { CacheMetrics } from '../../../../services/user-api/observability/metrics/counters.ts';

/** What a process knows of writes, as the near cache says it. */
class Knowledge {
  isOpen = true;
  opening = 1;
  forgotten = 0;

  ticket() {
    return { opening: this.opening, forgotten: this.forgotten, beganAt: 0 };
  }
}

describe('LoadsUnderWay', { timeout: 5_000 }, () => {
  let near: Knowledge;
  let metrics: CacheMetrics;
  let loads: LoadsInFlight;
  let begun: PromiseWithResolvers<VersionedEntry>[];

  beforeEach(() => {
    near = new Knowledge();
    metrics = new CacheMetrics();
    loads = new LoadsInFlight(near, metrics);
    begun = [];
  });

  const run = (id = 1) =>
    loads.run(id, () => {
      const load = Promise.withResolvers<VersionedEntry>();
      begun.push(load);
      return load.promise;
    });
  const entry = (version: number): VersionedEntry => ({ version, body: null });

  it('of one resource, while this process knows of every write, are one', async () => {
    const reads = [run(), run(), run(2)];
    expect([begun.length, metrics.sharedLoads]).toEqual([2, 1]);
    begun[0]?.resolve(entry(1));
    begun[1]?.resolve(entry(2));
    expect((await Promise.all(reads)).map(({ version }) => version)).toEqual([1, 1, 2]);
  });

  it.each([
    ['the subscription was lost', 'opening'],
    ['known versions were forgotten', 'forgotten'],
  ] as const)('are not shared when %s in between', async (_, count) => {
    const earlier = run();
    near[count] += 1;
    const later = run();
    expect([begun.length, metrics.sharedLoads]).toEqual([2, 0]);
    const latest = run();
    expect([begun.length, metrics.sharedLoads]).toEqual([2, 1]);
    begun[0]?.resolve(entry(1));
    begun[1]?.resolve(entry(2));
    const versions = (await Promise.all([earlier, later, latest])).map(({ version }) => version);
    expect(versions).toEqual([1, 2, 2]);
  });

  it('while writes may be missed, are shared by those who asked before they began, whether or not the one before failed', async () => {
    near.isOpen = false;
    const first = run();
    const second = run();
    const third = run();
    expect([begun.length, metrics.sharedLoads]).toEqual([1, 0]);
    begun[0]?.reject(new Error('away'));
    await expect(first).rejects.toThrow('away');
    expect(begun).toHaveLength(2);
    begun[1]?.resolve(entry(2));
    expect(await Promise.all([second, third])).toEqual([entry(2), entry(2)]);
    void run();
    expect(begun).toHaveLength(3);
  });
});
