import { describe, expect, it } from 'vitest';
import { SETTLED_MILLISECONDS } from '../../../../services/user-api/cache/coherent-reader.ts';
import { ReadsShed } from '../../../../services/user-api/cache/loads.ts';
import { DELETED_VERSION } from '../../../../services/user-api/cache/versioned-cache.ts';
import {
  KNOWN_MAXIMUM,
  MAXIMUM_LOADS,
  ReaderScene,
  settle,
  sharedEntry,
} from './support/reader-scene.ts';

const entry = (version: number) => ({ version, body: Buffer.from(`own ${version}`) });
/** Nothing here waits for a server. */
const TIMEOUT_MILLISECONDS = 5_000;
const GONE = { version: 3, body: null };

describe('a read', { timeout: TIMEOUT_MILLISECONDS }, () => {
  it('goes as far as it must: database, shared cache, memory; and says whether a cache had it', async () => {
    const { metrics, near, reader, shared, ...scene } = new ReaderScene();
    expect(await reader.read(1)).toMatchObject({ version: 1, fromCache: false });
    await settle();
    expect(shared.stored).toMatchObject([{ version: 1, origin: 'load' }]);
    expect(metrics).toMatchObject({ nearMisses: 1, redisMisses: 1, nearHits: 0 });
    expect(await reader.read(1)).toMatchObject({ version: 1, fromCache: true });
    expect(metrics).toMatchObject({ nearMisses: 1, nearHits: 1 });
    near.record(1, 2);
    shared.cached = sharedEntry(2);
    expect(await reader.read(1)).toMatchObject({ version: 2, fromCache: true });
    expect(near.get(1)?.version).toBe(2);
    expect(metrics).toMatchObject({ redisHits: 1, nearMisses: 2, nearBypasses: 0 });
    expect(scene.requests).toHaveLength(1);
  });

  it('counts as passing by the memory of a process that may miss writes', async () => {
    const scene = new ReaderScene();
    scene.near.close();
    scene.shared.cached = sharedEntry(1);
    expect(await scene.read()).toBe('redis 1');
    expect(scene.metrics).toMatchObject({ nearMisses: 0, nearBypasses: 1 });
    expect(scene.near.count).toBe(0);
  });

  it('of what is deleted, out of memory or the shared cache, is null', async () => {
    const scene = new ReaderScene();
    scene.shared.cached = sharedEntry(3, GONE);
    expect(await scene.read()).toBeNull();
    expect(scene.near.get(1)?.response).toBeNull();
    expect(await scene.read()).toBeNull();
    expect(scene.metrics).toMatchObject({ nearHits: 1, redisHits: 1 });
  });

  it('of what this process has deleted itself asks nobody', async () => {
    const scene = new ReaderScene({ nearCacheBytes: 0 });
    scene.recentWrites.record(1, GONE);
    scene.shared.cached = sharedEntry(9);
    expect(await scene.read()).toBeNull();
    expect(scene.shared.lookups).toBe(0);
  });

  it('without a shared cache goes to the database, and leases nothing', async () => {
    const scene = new ReaderScene({ hasShared: false });
    expect(await scene.read()).toBe('database 1');
    expect(scene.requests[0]?.staleness).toBe('absence');
    expect(scene.metrics).toMatchObject({ redisMisses: 0, redisSilences: 0 });
    expect(scene.shared).toMatchObject({ lookups: 0, leases: 0, stored: [] });
  });

  it.each([
    ['that is no longer fresh', sharedEntry(5, { fresh: false }), 'redisStale', 5],
    ['that is older than what is known', sharedEntry(3), 'redisStale', 4],
    ['that is not there', null, 'redisMisses', 4],
    ['that is not given', undefined, 'redisSilences', 4],
  ] as const)(
    'takes no body of an entry %s, but loads at least the newest version that is known',
    async (_, cached, count, minimumVersion) => {
      const scene = new ReaderScene();
      scene.knownVersions.record(1, 4);
      scene.shared.cached = cached;
      scene.store(6);
      expect(await scene.read()).toBe('database 6');
      expect(scene.metrics).toMatchObject({ redisHits: 0, [count]: 1 });
      expect(scene.requests.map((request) => request.minimumVersion())).toEqual([minimumVersion]);
      // It rises with notifications, and does not fall when versions are forgotten.
      scene.knownVersions.record(1, 7);
      expect(scene.requests[0]?.minimumVersion()).toBe(7);
    },
  );

  it('knows the version that it wrote itself, and keeps to what it knew when it began', async () => {
    const scene = new ReaderScene({ nearCacheBytes: 0 });
    scene.recentWrites.record(1, entry(3));
    scene.knownVersions.record(1, 2);
    scene.store(3);
    expect(await scene.read()).toBe('database 3');
    for (let id = 100; id < 100 + 3 * KNOWN_MAXIMUM; id += 1) scene.knownVersions.record(id, 1);
    expect(scene.knownVersions.minimumVersion(1)).toBe(0);
    expect(scene.requests[0]?.minimumVersion()).toBe(3);
  });

  it('takes what it wrote itself while the database fails, if nothing newer is known; else it fails', async () => {
    const scene = new ReaderScene({ nearCacheBytes: 0 });
    scene.load = () => Promise.reject(new Error('away'));
    await expect(scene.read()).rejects.toThrow('away');
    scene.recentWrites.record(1, entry(3));
    scene.knownVersions.record(1, 3);
    expect(await scene.read()).toBe('own 3');
    scene.knownVersions.record(1, 4);
    await expect(scene.read()).rejects.toThrow('away');
    expect(scene.shared.stored).toEqual([]);
  });

  it('is refused when as many loads are in flight as there may be', async () => {
    const scene = new ReaderScene();
    const release = scene.holdLoads();
    const reads = Array.from({ length: MAXIMUM_LOADS }, (_, index) => scene.read(index));
    await settle();
    await expect(scene.read(99)).rejects.toThrow(
      new ReadsShed(`${MAXIMUM_LOADS} reads wait for the database`),
    );
    release();
    await Promise.all(reads);
    expect(scene.metrics.shed).toBe(1);
  });
});

describe('a load', { timeout: TIMEOUT_MILLISECONDS }, () => {
  it.each([
    ['unknown while nothing is known', 0, 0],
    ['deleted after a version is known', 4, DELETED_VERSION],
  ])('of what is not there puts it into the shared cache as %s', async (_, known, version) => {
    const scene = new ReaderScene();
    scene.stored = null;
    scene.knownVersions.record(1, known);
    expect(await scene.read()).toBeNull();
    await settle();
    expect(scene.shared.stored).toMatchObject([{ version, body: null, origin: 'load' }]);
    // What is unknown may be created any time.
    expect(scene.near.count).toBe(known === 0 ? 0 : 1);
  });

  it('says how long it took', async () => {
    const scene = new ReaderScene();
    const release = scene.holdLoads();
    const read = scene.read();
    await new Promise((resolve) => setTimeout(resolve, 12));
    release();
    await read;
    await settle();
    expect(scene.shared.stored[0]?.loadMilliseconds).toBeGreaterThan(10);
    expect(scene.shared.stored[0]?.loadMilliseconds).toBeLessThan(10_000);
  });

  it.each([
    ['that did not reply', undefined, 'open', 0],
    ['that replied, by a process that knows of writes', null, 'open', 1],
    ['that replied, by a process that may miss writes', null, 'closed', 0],
  ] as const)('goes into a shared cache %s: %s, %s', async (_, cached, state, updates) => {
    const scene = new ReaderScene();
    scene.shared.cached = cached;
    const read = scene.read();
    if (state === 'closed') scene.near.close();
    expect(await read).toBe('database 1');
    await settle();
    expect(scene.shared.stored).toHaveLength(updates);
    expect(scene.near.count).toBe(updates);
  });

  it('stays out of memory when the shared cache has something newer, or does not reply', async () => {
    for (const newer of [sharedEntry(2), undefined]) {
      const scene = new ReaderScene();
      scene.shared.newer = newer;
      expect(await scene.read()).toBe('database 1');
      await settle();
      expect(scene.near.count).toBe(0);
    }
  });

  it('is trusted as far as this process knows what was written lately', async () => {
    const scene = new ReaderScene({ nearCacheBytes: 0 });
    const stalenessAt = async (now: number) => {
      scene.clock.now = now;
      await scene.read();
      return scene.requests.at(-1)?.staleness;
    };
    expect(await stalenessAt(SETTLED_MILLISECONDS - 1)).toBe('everything');
    expect(await stalenessAt(SETTLED_MILLISECONDS)).toBe('nothing');
    scene.near.close();
    expect(await stalenessAt(SETTLED_MILLISECONDS)).toBe('everything');
    scene.near.open();
    expect(await stalenessAt(2 * SETTLED_MILLISECONDS - 1)).toBe('everything');
    expect(await stalenessAt(2 * SETTLED_MILLISECONDS)).toBe('nothing');
    for (let id = 1; id <= 2 * KNOWN_MAXIMUM; id += 1) scene.knownVersions.record(id, 1);
    expect(scene.knownVersions.completeSince).toBe(2 * SETTLED_MILLISECONDS);
    expect(await stalenessAt(3 * SETTLED_MILLISECONDS - 1)).toBe('everything');
    expect(await stalenessAt(3 * SETTLED_MILLISECONDS)).toBe('nothing');
    scene.shared.cached = undefined;
    expect(await stalenessAt(3 * SETTLED_MILLISECONDS)).toBe('absence');
  });

  it('of one reader is not enough for another who knows of a newer version: that one loads by itself', async () => {
    const scene = new ReaderScene();
    const releaseFirst = scene.holdLoads();
    const first = scene.read();
    await settle();
    scene.knownVersions.record(1, 2);
    const second = scene.read();
    await settle();
    expect(scene.metrics.sharedLoads).toBe(1);
    scene.load = async () => ({ version: 2, body: Buffer.from('database 2') });
    releaseFirst();
    // The first knows of it by now as well.
    expect(await Promise.all([first, second])).toEqual(['database 2', 'database 2']);
    expect(scene.requests).toHaveLength(3);
    expect(scene.shared.leases).toBe(0);
  });
});
