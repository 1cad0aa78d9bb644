import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const seed = 1;

function longest(values: fc.Arbitrary<{ readonly length: number }>): number {
  return Math.max(...fc.sample(values, { numRuns: 100, seed }).map(({ length }) => length));
}

describe('Sizes of property tests', () => {
  it('of arrays, texts and bytes that name a maximum, reach it', () => {
    expect(longest(fc.array(fc.nat(), { maxLength: 200 }))).toBeGreaterThan(180);
    expect(longest(fc.string({ maxLength: 200 }))).toBeGreaterThan(180);
    expect(longest(fc.uint8Array({ maxLength: 200 }))).toBeGreaterThan(180);
  });

  it('of those that name none, stay small, so that no property uses up the memory', () => {
    expect(longest(fc.array(fc.nat()))).toBeLessThanOrEqual(10);
  });
});
