import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentMap } from '../../../../services/user-api/rate-limit/recent-map.ts';

describe('RecentMap', () => {
  it('whatever is done, never holds more than it may, and remembers the half of that used last', () => {
    const key = fc.integer({ min: 0, max: 30 }).map(String);
    const step = fc.oneof(
      fc.record({ kind: fc.constant('set'), key }),
      fc.record({ kind: fc.constant('get'), key }),
      fc.record({ kind: fc.constant('delete'), key }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 20 }),
        fc.array(step, { maxLength: 200 }),
        (size, steps) => {
          const map = new RecentMap<number>(size);
          /** What each key has, in the order of their last use; a deleted one keeps its place, because its use counts, too. */
          const values = new Map<string, number | undefined>();
          steps.forEach(({ kind, key }, index) => {
            // Half of the most are used after a key before it is forgotten.
            const recent = [...values.keys()].slice(-Math.floor(size / 2) - 1);
            if (kind === 'set') {
              map.set(key, index);
              values.delete(key);
              values.set(key, index);
            } else if (kind === 'get') {
              const value = map.get(key);
              if (recent.includes(key)) expect(value).toBe(values.get(key));
              if (value !== undefined) {
                expect(value).toBe(values.get(key));
                values.delete(key);
                values.set(key, value);
              }
            } else {
              map.delete(key);
              if (values.has(key)) values.set(key, undefined);
              expect(map.get(key)).toBeUndefined();
            }
            expect(map.size).toBeLessThanOrEqual(size);
          });
        },
      ),
    );
  });

  it('counts each entry once', () => {
    const map = new RecentMap<number>(6);
    const sizeAfter = (act: () => void) => {
      act();
      return map.size;
    };
    for (const key of ['a', 'b', 'c']) map.set(key, 1);
    expect(sizeAfter(() => map.set('c', 2))).toBe(3);
    // From here on the first three are the old ones.
    expect(sizeAfter(() => map.set('d', 1))).toBe(4);
    expect(sizeAfter(() => map.get('a'))).toBe(4);
    expect(sizeAfter(() => map.set('b', 3))).toBe(4);
    expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([1, 3, 2, 1]);
  });

  it('with room for less than two, throws', () => {
    expect(() => new RecentMap(1)).toThrow(RangeError);
  });
});
