import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CacheMetrics } from '../../../../services/user-api/cache/cache-metrics.ts';
import { HeardVersions } from '../../../../services/user-api/cache/heard-versions.ts';
import {
  NEAR_LIFETIME_MILLISECONDS,
  NearCache,
} from '../../../../services/user-api/cache/near-cache.ts';
import { NEAR_ENTRY_OVERHEAD_BYTES } from '../../../../services/user-api/cache/near-entry.ts';

const BODY = Buffer.from('{"id":1,"name":"Ada"}');

function createNear(maximumBytes: number) {
  const clock = { now: 0 };
  const metrics = new CacheMetrics();
  const near = new NearCache({
    maximumBytes,
    heard: new HeardVersions({ clock: () => clock.now }),
    metrics,
    clock: () => clock.now,
  });
  near.open();
  const fill = (id: number, version = 1, body: Buffer | null = BODY) =>
    near.fill(id, { version, body }, near.ticket());
  return { near, metrics, clock, fill };
}

describe('NearCache', () => {
  it('with ten times more than there is room for, stays within its bytes, and keeps what is asked for', () => {
    const maximumBytes = 100 * (NEAR_ENTRY_OVERHEAD_BYTES + BODY.byteLength);
    const { fill, near } = createNear(maximumBytes);
    for (let id = 0; id < 1_000; id += 1) {
      fill(id);
      near.get(0);
      expect(near.bytes).toBeLessThanOrEqual(maximumBytes);
    }
    expect(near.count).toBe(100);
    expect(near.evictions).toBe(900);
    expect(near.get(0)).toBeDefined();
  });

  it('an entry is ready to be sent when it is put in: bytes, length, ETag, and compressed where that pays', () => {
    const { fill, near } = createNear(1_000_000);
    const long = Buffer.from(JSON.stringify({ name: 'ä'.repeat(2_000) }));
    fill(1);
    fill(2, 7, long);
    const counted = near.bytes;
    const [short, answer] = [near.get(1)?.answer, near.get(2)?.answer];
    expect(short).toMatchObject({ length: String(BODY.byteLength), etag: '"v1"', gzip: null });
    expect(short?.body).toEqual(BODY);
    expect(answer).toMatchObject({ length: String(long.byteLength), etag: '"v7"' });
    const gzip = answer?.gzip;
    expect(gunzipSync(Buffer.from(gzip?.text ?? '', 'latin1'))).toEqual(long);
    expect(gzip?.etag).toBe('"v7-gzip"');
    // Its bytes were counted, and so it was made, before it was asked for.
    const bytes = BODY.byteLength + long.byteLength + Number(gzip?.length);
    expect(counted).toBe(2 * NEAR_ENTRY_OVERHEAD_BYTES + bytes);
  });

  it('entries that were made together end one after the other, within the last fifth of the lifetime', () => {
    const { clock, fill, near } = createNear(1_000_000);
    for (let id = 0; id < 200; id += 1) fill(id);
    const countAt = (now: number) => {
      clock.now = now;
      return Array.from({ length: 200 }, (_, id) => near.get(id)).filter(Boolean).length;
    };
    expect(countAt(0.8 * NEAR_LIFETIME_MILLISECONDS - 1)).toBe(200);
    const halfway = countAt(0.9 * NEAR_LIFETIME_MILLISECONDS);
    expect(halfway).toBeGreaterThan(40);
    expect(halfway).toBeLessThan(160);
    expect(countAt(NEAR_LIFETIME_MILLISECONDS)).toBe(0);
  });

  it('an entry that is in use is loaded anew once before it ends, and answers meanwhile; one that is not is left to end', () => {
    const { clock, near } = createNear(1_000_000);
    const refreshed: number[] = [];
    near.onRefresh((id) => refreshed.push(id));
    const ticket = near.ticket();
    // The load took 50 ms, so that an early refresh is due some 50 ms before the end.
    clock.now = 50;
    for (const id of [1, 2]) near.fill(id, { version: 1, body: BODY }, ticket);
    while (near.get(1) !== undefined) clock.now += 0.1;
    expect(refreshed).toEqual([1]);
  });

  it('closed, it is empty at once and takes nothing in; open again, nothing of before', () => {
    const { fill, metrics, near } = createNear(1_000_000);
    fill(1);
    const ticket = near.ticket();
    near.close();
    expect(near.get(1)).toBeUndefined();
    expect(near.bytes).toBe(0);
    fill(2);
    expect(near.get(2)).toBeUndefined();
    near.open();
    near.fill(3, { version: 1, body: BODY }, ticket);
    expect(near.get(3)).toBeUndefined();
    expect(metrics.nearFillsRefused).toBe(2);
    fill(4);
    expect(near.get(4)).toBeDefined();
  });

  it('a word of a newer version removes an entry, one of its own version or an older one does not', () => {
    const { fill, metrics, near } = createNear(1_000_000);
    fill(1, 5);
    near.hear(1, 4);
    near.hear(1, 5);
    expect(near.get(1)?.version).toBe(5);
    near.hear(1, 6);
    expect(near.get(1)).toBeUndefined();
    fill(1, 5);
    expect(near.get(1)).toBeUndefined();
    expect(metrics).toMatchObject({ invalidated: 1, nearFillsRefused: 1 });
  });
});
