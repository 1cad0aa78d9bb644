import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentWrites } from '../../../../services/user-api/cache/recent-writes.ts';

const entry = (version: number) => ({ version, body: Buffer.from(`v${version}`) });
const unshared = (writes: RecentWrites) => [...writes.unshared()].map(([id]) => id);

describe('RecentWrites', () => {
  it('with writes that arrive out of order, keeps the newest', () => {
    const writes = new RecentWrites();
    writes.record(1, entry(2));
    writes.record(1, entry(1));
    expect(writes.floor(1)?.version).toBe(2);
    writes.record(1, { version: 3, body: null });
    expect(writes.floor(1)).toEqual({ version: 3, body: null });
  });

  it('with more writes than it may keep, forgets the oldest', () => {
    const writes = new RecentWrites({ maximum: 2 });
    writes.record(1, entry(1));
    writes.record(2, entry(1));
    writes.record(1, entry(2));
    writes.record(3, entry(1));
    expect([1, 2, 3].map((id) => writes.floor(id)?.version)).toEqual([2, undefined, 1]);
    expect(unshared(writes)).toEqual([1, 3]);
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
          (id) => writes.floor(id) !== undefined,
        );
        expect(kept).toEqual(lastFirst.slice(0, maximum).sort());
      }),
    );
  });

  it('after the time that it keeps them, forgets writes', async () => {
    const writes = new RecentWrites({ keptMilliseconds: 5 });
    writes.record(1, entry(1));
    await wait(10);
    expect(writes.floor(1)).toBeUndefined();
    expect(unshared(writes)).toEqual([]);
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
});
