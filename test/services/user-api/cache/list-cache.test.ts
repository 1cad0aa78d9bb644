import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CacheMetrics } from '../../../../services/user-api/cache/cache-metrics.ts';
import {
  GENERATION_MILLISECONDS,
  ListCache,
  type LoadedPage,
  PAGE_LIFETIME_MILLISECONDS,
} from '../../../../services/user-api/cache/list-cache.ts';

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

  /** How many writes the answer to a reader of the list has. */
  async read(): Promise<number> {
    const page = await this.cache.get('the list', async () => {
      this.loads += 1;
      return { body: Buffer.from(String(this.writesBefore(this.#lag))), link: null };
    });
    return Number(page.answer.text);
  }

  writesBefore(milliseconds: number): number {
    const until = performance.now() - milliseconds;
    return this.writes.filter((at) => at <= until).length;
  }
}

describe('ListCache', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('behind a reader that lags, keeps no page for longer than twice the lag, or until others have told of their writes', async () => {
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
      { numRuns: 500 },
    );
  });

  it('with readers that are not behind, answers with an own write at once', async () => {
    await fc.assert(
      fc.asyncProperty(happenings(2), async (all) => {
        const scene = new Scene(0, 0);
        for (const [after, what] of all) {
          await scene.happen([after, what === 'read' ? 'read' : 'write here']);
          expect(await scene.read()).toBe(scene.writes.length);
        }
      }),
      { numRuns: 200 },
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
    'a page whose load ends after %s is answered to whoever asked, and not kept',
    async (end) => {
      const { cache } = new Scene(0, 0);
      await vi.advanceTimersByTimeAsync(PAGE_LIFETIME_MILLISECONDS);
      const loaded = Promise.withResolvers<LoadedPage>();
      const load = () => loaded.promise;
      const late = cache.get('the list', load);
      cache[end]();
      if (end === 'close') cache.open();
      loaded.resolve({ body: Buffer.from('before'), link: null });
      expect((await late).answer.text).toBe('before');
      expect(cache.count).toBe(0);
    },
  );
});
