import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  GENERATION_MILLISECONDS,
  ListCache,
  type LoadedPage,
  PAGE_LIFETIME_MILLISECONDS,
  PAGE_OVERHEAD_BYTES,
} from '../../../../services/user-api/cache/list-cache.ts';
import { CacheMetrics } from '../../../../services/user-api/observability/metrics/counters.ts';

const BODY = Buffer.from('{"data":[]}');

/** What happens, and so many milliseconds after what happened before. */
type Happening = readonly [after: number, what: 'read' | 'write here' | 'write elsewhere'];

const happenings = (least: number): fc.Arbitrary<Happening[]> =>
  fc.array(
    fc.tuple(
      fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 3_000 })),
      fc.constantFrom('read', 'read', 'read', 'write here', 'write elsewhere') as fc.Arbitrary<
        Happening[1]
      >,
    ),
    { minLength: least, maxLength: 60 },
  );

/**
 * One process, a writer, and a reader that has each write so many milliseconds later. The time is moved by hand; a page is the number of
 * writes that the reader had when it was asked.
 */
class Scene {
  readonly cache = new ListCache({ maximumBytes: 1_000_000, metrics: new CacheMetrics() });
  readonly writes: number[] = [];
  loads = 0;
  readonly #lag: number;
  readonly #words: number;

  constructor(lag: number, words: number) {
    this.#lag = lag;
    this.#words = words;
    this.cache.open();
  }

  async happen([after, what]: Happening): Promise<void> {
    await vi.advanceTimersByTimeAsync(after);
    if (what !== 'read') {
      this.writes.push(performance.now());
      if (what === 'write here') this.cache.written();
      else setTimeout(() => this.cache.writtenElsewhere(), this.#words);
    }
  }

  /** How many writes the response to a reader of the list has. */
  async read(): Promise<number> {
    const page = await this.cache.get('the list', async () => {
      this.loads += 1;
      return { body: Buffer.from(String(this.writesBefore(this.#lag))), link: null };
    });
    return Number(page.response.text);
  }

  writesBefore(milliseconds: number): number {
    const until = performance.now() - milliseconds;
    return this.writes.filter((at) => at <= until).length;
  }
}

describe('ListCache', { timeout: 10_000 }, () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('behind a reader that lags, keeps no page for longer than twice the lag, or until others have notified of their writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 4_000 }),
        fc.integer({ min: 0, max: 20 }),
        happenings(1),
        async (lag, words, all) => {
          const scene = new Scene(lag, words);
          const bound = Math.max(2 * lag, words + GENERATION_MILLISECONDS);
          for (const happening of all) {
            await scene.happen(happening);
            // What was written just as long ago as the bound may or may not be there.
            const owed = scene.writesBefore(bound + 1);
            expect(await scene.read()).toBeGreaterThanOrEqual(owed);
          }
          vi.clearAllTimers();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('with readers that are not behind, responds with an own write at once', async () => {
    await fc.assert(
      fc.asyncProperty(happenings(2), async (all) => {
        const scene = new Scene(0, 0);
        for (const [after, what] of all) {
          await scene.happen([after, what === 'read' ? 'read' : 'write here']);
          expect(await scene.read()).toBe(scene.writes.length);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('without writes, loads a page some times in its first seconds, and then once in its lifetime', async () => {
    const scene = new Scene(20, 0);
    await scene.happen([0, 'write here']);
    const seconds = 60;
    for (let time = 0; time < seconds * 100; time += 1) {
      await scene.happen([10, 'read']);
      await scene.read();
    }
    const shortest = PAGE_LIFETIME_MILLISECONDS * 0.8;
    expect(scene.loads).toBeLessThan(15 + (1_000 * seconds) / shortest);
    expect(scene.loads).toBeGreaterThan((1_000 * seconds) / PAGE_LIFETIME_MILLISECONDS);
  });

  it('that may miss writes, keeps nothing', async () => {
    const scene = new Scene(0, 0);
    scene.cache.close();
    await scene.happen([5_000, 'read']);
    for (let time = 0; time < 5; time += 1) await scene.read();
    expect(scene.loads).toBe(5);
    expect(scene.cache.count).toBe(0);
  });

  it.each(['written', 'close'] as const)(
    'a page whose load ends after %s is sent to all who asked, and not kept',
    async (end) => {
      const { cache } = new Scene(0, 0);
      await vi.advanceTimersByTimeAsync(PAGE_LIFETIME_MILLISECONDS);
      const loaded = Promise.withResolvers<LoadedPage>();
      const load = () => loaded.promise;
      const late = cache.get('the list', load);
      cache[end]();
      if (end === 'close') cache.open();
      loaded.resolve({ body: Buffer.from('before'), link: null });
      expect((await late).response.text).toBe('before');
      expect(cache.count).toBe(0);
    },
  );

  /** A cache that is so long open that each page lives as long as it may. */
  function createSettled(maximumBytes: number) {
    const metrics = new CacheMetrics();
    const clock = { now: 0 };
    const cache = new ListCache({ maximumBytes, metrics, clock: () => clock.now });
    cache.open();
    clock.now = PAGE_LIFETIME_MILLISECONDS;
    const get = (key: string, body: Uint8Array, link: string | null = null) =>
      cache.get(key, async () => ({ body, link }));
    return { cache, clock, get, metrics };
  }

  /** Names that leave nothing to compress, as users may choose them. */
  const namesAtRandom = (length: number) => randomBytes(length).toString('base64');

  it('with more pages than there is room for, stays within its bytes, in which compressed ones have room', async () => {
    const maximumBytes = 60_000;
    const { cache, get } = createSettled(maximumBytes);
    const sizes = new Map<string, number>();
    const hits = () => [...sizes.keys()].filter((key) => !(get(key, BODY) instanceof Promise));
    for (let page = 0; page < 100; page += 1) {
      const key = `page ${page} of 名前`;
      const link = page % 2 === 0 ? null : `</api/v1/users?page=${page}>; rel="next"`;
      const { response } = await get(key, Buffer.from(namesAtRandom(40 * page)), link);
      // Compressed for the first client that accepts it, which may be after the page was kept.
      expect(response.size).toBe(response.text.length);
      const compressed = response.gzip?.text.length ?? 0;
      const texts = 2 * key.length + (link?.length ?? 0);
      sizes.set(key, PAGE_OVERHEAD_BYTES + response.text.length + compressed + texts);
      expect(cache.bytes).toBeLessThanOrEqual(maximumBytes);
    }
    const kept = hits();
    expect(kept).toHaveLength(cache.count);
    expect(kept.length).toBeGreaterThan(3);
    const taken = kept.reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0);
    expect(taken).toBeLessThanOrEqual(cache.bytes);
    expect(taken).toBeGreaterThan(cache.bytes / 2);
  });

  it('gives a page out of memory as it was loaded, and says where it comes from', async () => {
    const { clock, get, metrics } = createSettled(10_000);
    const loaded = await get('a', BODY, '<next>');
    expect(loaded).toMatchObject({ link: '<next>', fromCache: false });
    const again = get('a', Buffer.from('other'));
    expect(again).toEqual({ ...loaded, fromCache: true });
    expect(metrics).toMatchObject({ listHits: 1, listMisses: 1 });
    clock.now += PAGE_LIFETIME_MILLISECONDS;
    expect((await get('a', Buffer.from('other'))).response.text).toBe('other');
    expect(metrics).toMatchObject({ listHits: 1, listMisses: 2 });
  });

  it('gives pages of the same bytes the same ETag, of 128 bits, and others another', async () => {
    const { get } = createSettled(0);
    const bodies = ['a', 'a', 'b'].map((text) => Buffer.from(text));
    const pages = await Promise.all(bodies.map((body, index) => get(String(index), body)));
    const [first, same, other] = pages.map(({ response }) => response.etag);
    expect(first).toMatch(/^"[\w-]{22}"$/);
    expect(first).toBe(same);
    expect(first).not.toBe(other);
  });

  it('of who asks for a page at the same time, one loads it', async () => {
    const { cache } = createSettled(10_000);
    let loads = 0;
    const load = async () => {
      loads += 1;
      return { body: BODY, link: null };
    };
    const pages = await Promise.all([1, 2].map(() => cache.get('a', load)));
    expect(pages[0]).toBe(pages[1]);
    await cache.get('b', load);
    expect(loads).toBe(2);
  });

  it('pages that were loaded together end one after the other, within the last fifth of their lifetime', async () => {
    const { cache, clock, get, metrics } = createSettled(10_000_000);
    const keys = Array.from({ length: 200 }, (_, index) => String(index));
    await Promise.all(keys.map((key) => get(key, BODY)));
    /** Which of the pages are in memory still. */
    const countAt = (lifetimes: number) => {
      clock.now = PAGE_LIFETIME_MILLISECONDS * (1 + lifetimes);
      const before = metrics.listHits;
      for (const key of keys) void cache.get(key, () => new Promise(() => {}));
      return metrics.listHits - before;
    };
    expect(countAt(0.79)).toBe(200);
    const halfway = countAt(0.9);
    expect(halfway).toBeGreaterThan(40);
    expect(halfway).toBeLessThan(160);
    expect(countAt(1)).toBe(0);
  });

  it('lets a page live as long as it is open, at most: readers may lack what it missed before', async () => {
    const { cache, clock, get } = createSettled(10_000);
    await get('a', BODY);
    cache.close();
    expect(cache.count).toBe(0);
    clock.now += 5_000;
    cache.open();
    clock.now += 100;
    await get('a', BODY);
    clock.now += 99;
    expect(get('a', BODY)).not.toBeInstanceOf(Promise);
    clock.now += 1;
    expect(get('a', BODY)).toBeInstanceOf(Promise);
  });

  it('keeps nothing before it is open', async () => {
    const cache = new ListCache({ maximumBytes: 10_000, metrics: new CacheMetrics() });
    await cache.get('a', async () => ({ body: BODY, link: null }));
    expect(cache.count).toBe(0);
  });

  it('counts the writes of others together, and those of its own at once', async () => {
    const { cache, get } = createSettled(10_000);
    await get('a', BODY);
    cache.writtenElsewhere();
    await vi.advanceTimersByTimeAsync(GENERATION_MILLISECONDS - 1);
    cache.writtenElsewhere();
    expect(cache.count).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(cache.count).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    cache.writtenElsewhere();
    cache.written();
    // Nothing is left to count.
    expect(vi.getTimerCount()).toBe(0);
  });
});
