import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecentWrites } from '../../../../services/user-api/cache/known-versions.ts';

const entry = (version: number) => ({ version, body: Buffer.from(`v${version}`) });
const unshared = (writes: RecentWrites) => [...writes.unshared()].map(([id]) => id);

describe('RecentWrites', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('with writes that arrive out of order, keeps the newest', () => {
    const writes = new RecentWrites();
    writes.record(1, entry(2));
    writes.record(1, entry(1));
    expect(writes.newest(1)?.version).toBe(2);
    writes.record(1, { version: 3, body: null });
    expect(writes.newest(1)).toEqual({ version: 3, body: null });
  });

  it('with more writes than it may keep, forgets the oldest', () => {
    const writes = new RecentWrites({ maximum: 2 });
    writes.record(1, entry(1));
    writes.record(2, entry(1));
    writes.record(1, entry(2));
    writes.record(3, entry(1));
    expect([1, 2, 3].map((id) => writes.newest(id)?.version)).toEqual([2, undefined, 1]);
    for (const [id, version] of [
      [1, 2],
      [2, 1],
      [3, 1],
    ] as const) {
      expect(writes.hasUnshared).toBe(true);
      writes.markShared(id, version);
    }
    expect(writes.hasUnshared).toBe(false);
  });

  it('of any writes, keeps the last ones', () => {
    const maximum = 5;
    const ids = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 });
    fc.assert(
      fc.property(ids, (written) => {
        const writes = new RecentWrites({ maximum });
        for (const [index, id] of written.entries()) writes.record(id, entry(index + 1));
        const lastFirst = [...new Set(written.toReversed())];
        const kept = Array.from({ length: 9 }, (_, index) => index + 1).filter(
          (id) => writes.newest(id) !== undefined,
        );
        expect(kept).toEqual(lastFirst.slice(0, maximum).sort());
      }),
    );
  });

  it('after the time that it keeps them, forgets writes', () => {
    const writes = new RecentWrites({ keptMilliseconds: 5 });
    writes.record(1, entry(1));
    vi.advanceTimersByTime(4);
    writes.record(2, entry(1));
    expect([writes.newest(1)?.version, unshared(writes)]).toEqual([1, [1, 2]]);
    vi.advanceTimersByTime(1);
    expect([writes.newest(1), unshared(writes)]).toEqual([undefined, [2]]);
    expect(writes.hasUnshared).toBe(true);
    vi.advanceTimersByTime(4);
    expect([writes.newest(2), unshared(writes)]).toEqual([undefined, []]);
    expect(writes.hasUnshared).toBe(false);
  });

  it('lets go of what is too old with the next write, but of nothing before its time', () => {
    const writes = new RecentWrites({ keptMilliseconds: 5 });
    writes.record(1, entry(1));
    vi.advanceTimersByTime(5);
    writes.record(2, entry(1));
    writes.unshareAll();
    expect(unshared(writes)).toEqual([2]);
    vi.advanceTimersByTime(1);
    writes.record(3, entry(1));
    vi.advanceTimersByTime(3);
    writes.unshareAll();
    expect(unshared(writes)).toEqual([2, 3]);
  });

  it('by default remembers 10,000 writes for two minutes', () => {
    const writes = new RecentWrites();
    for (let id = 0; id <= 10_000; id += 1) writes.record(id, entry(1));
    expect([0, 1, 10_000].map((id) => writes.newest(id)?.version)).toEqual([undefined, 1, 1]);
    vi.advanceTimersByTime(119_999);
    expect(writes.newest(1)?.version).toBe(1);
    vi.advanceTimersByTime(1);
    expect(writes.newest(1)).toBeUndefined();
  });

  it('counts a write as shared only when the cache has that very version', () => {
    const writes = new RecentWrites();
    writes.record(1, entry(1));
    writes.record(1, entry(2));
    writes.markShared(1, 1);
    expect(unshared(writes)).toEqual([1]);
    writes.markShared(1, 2);
    expect(unshared(writes)).toEqual([]);
  });

  it('retries what the cache did not take after all others, and nothing that it has', () => {
    const writes = new RecentWrites();
    for (const id of [1, 2, 3]) writes.record(id, entry(1));
    writes.markShared(3, 1);
    writes.retryLast(1);
    writes.retryLast(3);
    expect(unshared(writes)).toEqual([2, 1]);
  });

  it('counts every write that it remembers as not shared once the cache may have lost all', () => {
    const writes = new RecentWrites();
    for (const id of [1, 2]) writes.record(id, entry(1));
    for (const id of [1, 2]) writes.markShared(id, 1);
    expect([writes.hasUnshared, unshared(writes)]).toEqual([false, []]);
    writes.unshareAll();
    expect([writes.hasUnshared, unshared(writes)]).toEqual([true, [1, 2]]);
  });

  it('does not share again what is shared, when an older write arrives late', () => {
    const writes = new RecentWrites();
    writes.record(1, entry(2));
    writes.markShared(1, 2);
    for (const late of [1, 2]) writes.record(1, entry(late));
    expect(unshared(writes)).toEqual([]);
  });
});
