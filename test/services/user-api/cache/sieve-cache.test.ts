import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SieveCache, SieveEntry } from '../../../../services/user-api/cache/sieve-cache.ts';

const MAXIMUM_BYTES = 20;
const KEYS = 8;

const key = fc.nat({ max: KEYS - 1 });
const size = fc.integer({ min: 1, max: 8 });
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ what: fc.constant('set' as const), key, size }) },
    { weight: 6, arbitrary: fc.record({ what: fc.constant('get' as const), key }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('grew' as const), key, size }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('delete' as const), key }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('set too large' as const), key }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('clear' as const) }) },
  ),
  { maxLength: 60 },
);

interface ModelEntry {
  readonly key: number;
  size: number;
  visited: boolean;
}

/** SIEVE as its paper says it, with an array: the oldest entry comes first, the hand is a place. */
class Model {
  entries: ModelEntry[] = [];
  hand = 0;
  evictions = 0;

  get bytes(): number {
    return this.entries.reduce((sum, entry) => sum + entry.size, 0);
  }

  find(key: number): ModelEntry | undefined {
    return this.entries.find((entry) => entry.key === key);
  }

  set(key: number, size: number): void {
    const visited = this.find(key)?.visited ?? false;
    this.delete(key);
    if (size > MAXIMUM_BYTES) return;
    // A hand that has passed the youngest begins again with the oldest, whatever has come since.
    if (this.hand === this.entries.length) this.hand = 0;
    this.entries.push({ key, size, visited });
    this.evict();
  }

  delete(key: number): boolean {
    const place = this.entries.findIndex((entry) => entry.key === key);
    if (place === -1) return false;
    this.entries.splice(place, 1);
    if (place < this.hand) this.hand -= 1;
    return true;
  }

  evict(): void {
    while (this.bytes > MAXIMUM_BYTES) {
      this.hand %= this.entries.length;
      const candidate = this.entries[this.hand];
      if (candidate === undefined) throw new Error('There is nothing to evict');
      if (candidate.visited) {
        candidate.visited = false;
        this.hand += 1;
      } else {
        this.entries.splice(this.hand, 1);
        this.evictions += 1;
      }
    }
  }
}

describe('SieveCache', () => {
  it('whatever is put in, used and removed, keeps what SIEVE keeps, within its bytes', () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const cache = new SieveCache<number, SieveEntry<number>>(MAXIMUM_BYTES);
        const model = new Model();
        for (const step of taken) {
          if (step.what === 'clear') {
            cache.clear();
            model.entries = [];
            model.hand = 0;
          } else if (step.what === 'get') {
            const expected = model.find(step.key);
            if (expected !== undefined) expected.visited = true;
            expect(cache.get(step.key)?.key).toBe(expected?.key);
          } else if (step.what === 'delete') {
            expect(cache.delete(step.key)).toBe(model.delete(step.key));
          } else if (step.what === 'grew') {
            const [entry, expected] = [cache.peek(step.key), model.find(step.key)];
            if (entry !== undefined) cache.grew(entry, step.size);
            if (expected !== undefined) expected.size += step.size;
            model.evict();
          } else {
            const bytes = step.what === 'set' ? step.size : MAXIMUM_BYTES + 1;
            cache.set(new SieveEntry(step.key, bytes));
            model.set(step.key, bytes);
          }
          const keys = Array.from({ length: KEYS }, (_, each) => each);
          const { bytes, count, evictions } = cache;
          expect([bytes, count, evictions, ...keys.map((each) => cache.peek(each)?.size)]).toEqual([
            model.bytes,
            model.entries.length,
            model.evictions,
            ...keys.map((each) => model.find(each)?.size),
          ]);
          if (bytes > MAXIMUM_BYTES) expect.fail(`${bytes} bytes are more than ${MAXIMUM_BYTES}`);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('takes in an entry as large as all the room, and lets an entry that has outgrown it go', () => {
    const cache = new SieveCache<number, SieveEntry<number>>(MAXIMUM_BYTES);
    const entry = new SieveEntry(1, MAXIMUM_BYTES);
    cache.set(entry);
    expect(cache.peek(1)).toBe(entry);
    cache.grew(entry, 1);
    expect(cache).toMatchObject({ count: 0, bytes: 0, evictions: 1 });
  });

  it('lets go of the neighbours of an entry that somebody still holds', () => {
    const cache = new SieveCache<number, SieveEntry<number>>(MAXIMUM_BYTES);
    const entries = [1, 2, 3].map((each) => new SieveEntry(each, 1));
    for (const entry of entries) cache.set(entry);
    cache.delete(2);
    expect(entries[1]).toMatchObject({ younger: undefined, older: undefined });
  });
});
