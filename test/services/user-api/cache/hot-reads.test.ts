import { describe, expect, it, vi } from 'vitest';
import { ReaderScene, sharedEntry } from './support/reader-scene.ts';

/** Nothing here waits for a server. */
const TIMEOUT_MILLISECONDS = 5_000;

describe('reads of one resource by many at once', { timeout: TIMEOUT_MILLISECONDS }, () => {
  const HOT = 5;

  async function startHot() {
    const scene = new ReaderScene();
    const release = scene.holdLookups();
    const reads = Array.from({ length: HOT }, () => scene.read());
    release();
    return { scene, reads: Promise.all(reads) };
  }

  it('ask for a lease before they load, once so many wait; fewer do not', async () => {
    const { reads, scene } = await startHot();
    expect(await reads).toEqual(Array.from({ length: HOT }, () => 'database 1'));
    expect(scene.shared.leases).toBe(1);
    const few = new ReaderScene({ nearCacheBytes: 0 });
    const release = few.holdLookups();
    const fewReads = Array.from({ length: HOT - 1 }, () => few.read());
    release();
    await Promise.all(fewReads);
    expect(few.shared.leases).toBe(0);
  });

  it('without the lease wait until another process has put it into the shared cache', async () => {
    const { reads, scene } = await startHot();
    scene.shared.mayLoad = false;
    await vi.waitUntil(() => scene.metrics.leaseWaits === 1, { interval: 1 });
    scene.shared.cached = sharedEntry(1, { fresh: false });
    const lookups = scene.shared.lookups;
    await vi.waitUntil(() => scene.shared.lookups >= lookups + 2, { interval: 1 });
    scene.shared.cached = sharedEntry(2);
    expect(await reads).toEqual(Array.from({ length: HOT }, () => 'redis 2'));
    expect(scene.requests).toHaveLength(0);
    expect(scene.near.get(1)?.version).toBe(2);
  });

  it('without the lease load by themselves when the shared cache falls silent, or the lease has ended', async () => {
    const silent = await startHot();
    silent.scene.shared.mayLoad = false;
    await vi.waitUntil(() => silent.scene.metrics.leaseWaits === 1, { interval: 1 });
    silent.scene.shared.cached = undefined;
    const { lookups } = silent.scene.shared;
    expect((await silent.reads)[0]).toBe('database 1');
    expect(silent.scene.shared.lookups).toBe(lookups + 1);

    const ended = await startHot();
    ended.scene.shared.mayLoad = false;
    const beganAt = performance.now();
    expect((await ended.reads)[0]).toBe('database 1');
    expect(performance.now() - beganAt).toBeGreaterThan(490);
    // After 5 ms, 10 ms, and so on up to 320 ms.
    expect(ended.scene.shared.lookups).toBeLessThan(2 + 9);
    expect(ended.scene.requests).toHaveLength(1);
  });
});
