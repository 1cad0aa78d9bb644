import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  earliestRefresh,
  NEAR_LIFETIME_MILLISECONDS,
  refreshesEarly,
} from '../../../../services/user-api/cache/near-cache.ts';
import { ReaderScene, settle, sharedEntry } from './support/reader-scene.ts';

/** Nothing here waits for a server. */
const TIMEOUT_MILLISECONDS = 5_000;
const END = 10_000;
const LOAD = 50;

describe('refreshesEarly', () => {
  it('of an entry that takes δ to load, draws δ × -ln(random) before the end', () => {
    // 1 - random is e^-1: the draw is one δ before the end.
    const random = () => 1 - Math.exp(-1);
    const draw = -LOAD * Math.log(1 - random());
    expect(draw).toBeCloseTo(LOAD);
    expect(refreshesEarly(END - draw - 0.001, END, LOAD, random)).toBe(false);
    expect(refreshesEarly(END - draw, END, LOAD, random)).toBe(true);
  });

  it('of half of the uses is true some 0.7 δ before the end, of none long before', () => {
    const uses = Array.from({ length: 1_000 });
    const share = (now: number) =>
      uses.filter(() => refreshesEarly(now, END, LOAD)).length / uses.length;
    expect(share(END - LOAD * Math.LN2)).toBeGreaterThan(0.4);
    expect(share(END - LOAD * Math.LN2)).toBeLessThan(0.6);
    expect(share(END - 100 * LOAD)).toBe(0);
    expect(share(END)).toBe(1);
  });

  it('is worth asking from where one draw in 10,000 lies', () => {
    const from = earliestRefresh(END, LOAD);
    expect(refreshesEarly(from + 0.001, END, LOAD, () => 1 - 1 / 10_000)).toBe(true);
    expect(refreshesEarly(from - 0.001, END, LOAD, () => 1 - 1 / 10_000)).toBe(false);
  });
});

describe('an entry that is about to end', { timeout: TIMEOUT_MILLISECONDS }, () => {
  /** Each draw is the longest that is worth it. */
  function drawLongest() {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.9999);
    onTestFinished(() => random.mockRestore());
  }
  const ending = () => sharedEntry(3, { freshUntil: Date.now() + 1_000, loadMilliseconds: 60_000 });

  function startEnding() {
    drawLongest();
    const scene = new ReaderScene({ nearCacheBytes: 0 });
    scene.shared.cached = ending();
    scene.store(3);
    return scene;
  }

  it('in the shared cache, is answered, and loaded again by one that has the lease', async () => {
    const scene = startEnding();
    const release = scene.holdLoads();
    expect(await scene.read()).toBe('redis 3');
    expect(await scene.read()).toBe('redis 3');
    await settle();
    expect(scene.metrics.refreshes).toBe(1);
    expect(scene.requests.map(({ minimumVersion }) => minimumVersion())).toEqual([3]);
    scene.knownVersions.record(1, 4);
    expect(scene.requests[0]?.minimumVersion()).toBe(4);
    release();
    await settle();
    expect(scene.shared).toMatchObject({ leases: 1 });
  });

  it('is left to another process that has the lease, or while half of the loads are in flight', async () => {
    const scene = startEnding();
    scene.shared.mayLoad = false;
    expect(await scene.read()).toBe('redis 3');
    await settle();
    expect([scene.requests.length, scene.metrics.refreshes]).toEqual([0, 1]);

    const busy = startEnding();
    busy.shared.cached = null;
    const release = busy.holdLoads();
    const reads = [busy.read(11), busy.read(12)];
    await settle();
    busy.shared.cached = ending();
    expect(await busy.read()).toBe('redis 3');
    expect(busy.metrics.refreshes).toBe(0);
    release();
    await Promise.all(reads);
    expect(await busy.read()).toBe('redis 3');
    expect(busy.metrics.refreshes).toBe(1);
    await settle();
  });

  it('is not loaded again long before its end', async () => {
    const scene = startEnding();
    scene.shared.cached = sharedEntry(3);
    await scene.read();
    expect(scene.metrics.refreshes).toBe(0);
  });

  it('in memory, is answered, and read again once; a read after it is gone gets the error', async () => {
    const scene = new ReaderScene();
    await scene.read();
    await settle();
    drawLongest();
    const endsAt = scene.near.get(1)?.endsAt ?? 0;
    expect(endsAt).toBeGreaterThanOrEqual(0.8 * NEAR_LIFETIME_MILLISECONDS);
    scene.clock.now = endsAt - 0.01;
    scene.load = () => Promise.reject(new Error('away'));
    const { lookups } = scene.shared;
    expect(await scene.read()).toBe('database 1');
    expect(await scene.read()).toBe('database 1');
    await settle();
    expect([scene.metrics.refreshes, scene.shared.lookups]).toEqual([1, lookups + 1]);
    scene.clock.now = endsAt;
    await expect(scene.read()).rejects.toThrow('away');
  });
});
