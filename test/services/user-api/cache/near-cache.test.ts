import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { KnownVersions } from '../../../../services/user-api/cache/known-versions.ts';
import {
  DERIVED_OVERHEAD_BYTES,
  NEAR_ENTRY_OVERHEAD_BYTES,
  NEAR_LIFETIME_MILLISECONDS,
  NearCache,
} from '../../../../services/user-api/cache/near-cache.ts';
import { CacheMetrics } from '../../../../services/user-api/observability/metrics/counters.ts';

/** Shows a body twice, so that it is larger than the one that was put in. */
const twice = {
  name: 'twice',
  textOf: (full: string) => full + full,
  tagOf: (version: number) => `twice-${version}`,
};

const BODY = Buffer.from('{"id":1,"name":"Ada"}');

function createNear(maximumBytes: number) {
  const clock = { now: 0 };
  const metrics = new CacheMetrics();
  const knownVersions = new KnownVersions({ maximum: 10, clock: () => clock.now });
  const near = new NearCache({ maximumBytes, knownVersions, metrics, clock: () => clock.now });
  near.open();
  const fill = (id: number, version = 1, body: Buffer | null = BODY) =>
    near.fill(id, { version, body }, near.ticket());
  /** Notifies it of so many writes of others that a half of the known versions is forgotten. */
  const forget = () => {
    const { forgotten } = knownVersions;
    for (let id = 1_000_000 * (forgotten + 1); knownVersions.forgotten === forgotten; id += 1) {
      near.record(id, 1);
    }
  };
  return { near, metrics, clock, fill, forget };
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
    const [short, response] = [near.get(1)?.response, near.get(2)?.response];
    expect(short).toMatchObject({ length: String(BODY.byteLength), etag: '"v1"', gzip: null });
    expect(short?.body).toEqual(BODY);
    expect(response).toMatchObject({ length: String(long.byteLength), etag: '"v7"' });
    const gzip = response?.gzip;
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

  it('an entry that is in use is loaded again once before it ends, and answers meanwhile; one that is not is left to end', () => {
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

  it('a message with a newer version removes an entry, one of its own version or an older one does not', () => {
    const { fill, metrics, near } = createNear(1_000_000);
    fill(1, 5);
    near.record(1, 4);
    near.record(1, 5);
    expect(near.get(1)?.version).toBe(5);
    near.record(1, 6);
    expect(near.get(1)).toBeUndefined();
    fill(1, 5);
    expect(near.get(1)).toBeUndefined();
    expect(metrics).toMatchObject({ invalidated: 1, nearFillsRefused: 1 });
  });

  it('without room for a single entry, keeps none and counts none as refused', () => {
    const { fill, metrics, near } = createNear(0);
    fill(1);
    near.close();
    fill(1);
    expect(near).toMatchObject({ count: 0, bytes: 0 });
    expect(metrics.nearFillsRefused).toBe(0);
  });

  it('with room for one entry without a body, takes in that there is none', () => {
    const { fill, near } = createNear(NEAR_ENTRY_OVERHEAD_BYTES);
    fill(1, 3, null);
    expect(near.get(1)).toMatchObject({ version: 3, response: null });
    const entry = near.get(1);
    expect(entry && near.derive(entry, twice)).toBeNull();
  });

  it('takes in a load during which one half of the known versions was forgotten, and refuses one of two', () => {
    const { fill, forget, metrics, near } = createNear(1_000_000);
    const ticket = near.ticket();
    forget();
    near.fill(1, { version: 1, body: BODY }, ticket);
    expect(near.get(1)?.version).toBe(1);
    forget();
    near.fill(2, { version: 1, body: BODY }, ticket);
    expect(near.get(2)).toBeUndefined();
    expect(metrics.nearFillsRefused).toBe(1);
    fill(2);
    expect(near.get(2)?.version).toBe(1);
  });

  it('refuses a load that is older than the entry that is there, and takes in one that is as new', () => {
    const { fill, metrics, near } = createNear(1_000_000);
    fill(1, 2);
    fill(1, 1, Buffer.from('older'));
    expect(near.get(1)?.response?.body).toEqual(BODY);
    expect(metrics.nearFillsRefused).toBe(1);
    fill(1, 2, Buffer.from('the same, loaded again'));
    expect(near.get(1)?.response?.text).toBe('the same, loaded again');
  });

  it('takes in an own write in place of what is older, and no longer anything older', () => {
    const { fill, metrics, near } = createNear(1_000_000);
    fill(1, 1);
    near.write(1, { version: 2, body: null });
    expect(near.get(1)).toMatchObject({ version: 2, response: null });
    fill(1, 1);
    expect(near.get(1)?.version).toBe(2);
    expect(metrics).toMatchObject({ invalidated: 1, nearFillsRefused: 1 });
  });

  it('counts the time that an entry lives from before its load', () => {
    const { clock, near } = createNear(1_000_000);
    clock.now = 1_000;
    const ticket = near.ticket();
    clock.now += 0.1 * NEAR_LIFETIME_MILLISECONDS;
    near.fill(1, { version: 1, body: BODY }, ticket);
    expect(near.get(1)?.loadMilliseconds).toBeCloseTo(0.1 * NEAR_LIFETIME_MILLISECONDS);
    clock.now = 1_000 + NEAR_LIFETIME_MILLISECONDS;
    expect(near.get(1)).toBeUndefined();
    expect(near.count).toBe(0);
  });

  it('says since when it is open', () => {
    const { clock, near } = createNear(1_000_000);
    clock.now = 7;
    near.close();
    expect(near).toMatchObject({ isOpen: false, openSince: 0 });
    near.open();
    expect(near).toMatchObject({ isOpen: true, openSince: 7 });
    expect(near.now()).toBe(7);
  });

  it('loads an entry early that took no time to load, too', () => {
    const { clock, fill, near } = createNear(1_000_000);
    // The longest of some thousand draws; and the longest life.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0);
    onTestFinished(() => random.mockRestore());
    const refreshed: number[] = [];
    near.onRefresh((id) => refreshed.push(id));
    fill(1);
    random.mockReturnValue(1 - 1 / 8_000);
    clock.now = NEAR_LIFETIME_MILLISECONDS - 1;
    expect(near.get(1)).toBeDefined();
    expect(refreshed).toEqual([]);
    clock.now = NEAR_LIFETIME_MILLISECONDS - 0.5;
    random.mockReturnValue(0);
    expect(near.get(1)).toBeDefined();
    expect(refreshed).toEqual([]);
    random.mockReturnValue(1 - 1 / 8_000);
    expect(near.get(1)).toBeDefined();
    expect(near.get(1)).toBeDefined();
    expect(refreshed).toEqual([1]);
  });

  it('makes another representation of an entry once, with an ETag of its own, and counts its bytes', () => {
    const { fill, near } = createNear(1_000_000);
    const body = Buffer.alloc(1_024, 'é');
    fill(1, 7, body);
    const entry = near.get(1);
    const before = near.bytes;
    const made = entry && near.derive(entry, twice);
    expect(made?.body).toEqual(Buffer.concat([body, body]));
    expect(made).toMatchObject({ etag: '"twice-7"', length: '2048' });
    const size = DERIVED_OVERHEAD_BYTES + 2_048 + Number(made?.gzip?.length);
    expect(near.bytes).toBe(before + size);
    expect(entry && near.derive(entry, twice)).toBe(made);
    const other = entry && near.derive(entry, { ...twice, name: 'other', textOf: () => '' });
    expect(other?.text).toBe('');
    expect(near.bytes).toBe(before + size + DERIVED_OVERHEAD_BYTES);
  });

  it('does not count what is made of an entry that is no longer there', () => {
    const { fill, near } = createNear(1_000_000);
    fill(1, 1);
    const old = near.get(1);
    near.record(1, 2);
    expect(old && near.derive(old, twice)?.etag).toBe('"twice-1"');
    expect(near.bytes).toBe(0);
    fill(1, 2);
    const before = near.bytes;
    expect(old && near.derive(old, { ...twice, name: 'other' })).toBeDefined();
    expect(near.bytes).toBe(before);
  });

  it('with other representations of all its entries, stays within its bytes, and counts each of them', () => {
    const maximumBytes = 50_000;
    const { fill, near } = createNear(maximumBytes);
    for (let id = 0; id < 300; id += 1) {
      fill(id, 1, Buffer.alloc(100 + 10 * (id % 150), `${id}`));
      const entry = near.get(id);
      if (entry !== undefined) near.derive(entry, twice);
      expect(near.bytes).toBeLessThanOrEqual(maximumBytes);
    }
    let bytes = 0;
    for (let id = 0; id < 300; id += 1) {
      const entry = near.get(id);
      if (entry === undefined) continue;
      bytes += NEAR_ENTRY_OVERHEAD_BYTES + (entry.response?.size ?? 0);
      bytes += DERIVED_OVERHEAD_BYTES + (entry.derived('twice')?.size ?? 0);
    }
    expect(near.bytes).toBe(bytes);
    expect(bytes).toBeGreaterThan(0.8 * maximumBytes);
  });

  it('by default counts time by performance.now', () => {
    const metrics = new CacheMetrics();
    const near = new NearCache({
      maximumBytes: 1_000,
      knownVersions: new KnownVersions(),
      metrics,
    });
    const before = performance.now();
    expect(near.isOpen).toBe(false);
    near.open();
    expect(near.openSince).toBeGreaterThanOrEqual(before);
    near.fill(1, { version: 1, body: BODY }, near.ticket());
    expect(near.get(1)?.endsAt).toBeGreaterThan(before + 0.8 * NEAR_LIFETIME_MILLISECONDS);
  });
});
