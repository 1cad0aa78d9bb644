import { describe, expect, it } from 'vitest';
import { RequestIds } from '../../../../services/user-api/http/environment.ts';

describe('request ids', () => {
  it('are UUIDs of version 8, each another one', () => {
    const ids = new RequestIds();
    const made = Array.from({ length: 100_000 }, () => ids.next());
    for (const id of made.slice(0, 100)) {
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    }
    expect(new Set(made).size).toBe(made.length);
  });

  it('of two processes begin differently', () => {
    expect(new RequestIds().next().slice(0, 28)).not.toBe(new RequestIds().next().slice(0, 28));
  });

  it('that follow each other do not look as if they did', () => {
    const ids = new RequestIds();
    const counted = Array.from({ length: 50 }, () => Number.parseInt(ids.next().slice(-8), 16));
    const steps = counted.slice(1).map((value, index) => Math.abs(value - (counted[index] ?? 0)));
    expect(Math.min(...steps)).toBeGreaterThan(1_000_000);
  });
});
