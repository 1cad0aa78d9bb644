import { SieveCache, SieveEntry } from '../../../../../services/user-api/cache/sieve-cache.ts';

/**
 * What the near cache's eviction is worth beside LRU, the common choice: hits of skewed requests with scans among them, and what a use costs. Run by hand:
 *
 * ```sh
 * npx node test/services/user-api/cache/measure/eviction.ts
 * ```
 */
const KEYS = 100_000;
const ROOM = 10_000;
const REQUESTS = 1_000_000;
/** Of web requests: Breslau et al., "Web Caching and Zipf-like Distributions", INFOCOM 1999, found 0.64 to 0.83. */
const SKEW = 0.8;
/** Once in so many requests somebody goes through a tenth of all keys, as an export does. */
const SCAN_EVERY = 200_000;
const ROUNDS = 3;

interface Measured {
  use(key: number): boolean;
}

interface Linked {
  readonly key: number;
  before: Linked;
  after: Linked;
}

/** LRU, as libraries have it: a map into a ring in the order of use. */
class Lru implements Measured {
  readonly #entries = new Map<number, Linked>();
  readonly #ring: Linked;

  constructor() {
    const ring: Partial<Linked> & { key: number } = { key: -1 };
    this.#ring = Object.assign(ring, { before: ring, after: ring }) as Linked;
  }

  use(key: number): boolean {
    const known = this.#entries.get(key);
    const ring = this.#ring;
    if (known !== undefined) {
      known.before.after = known.after;
      known.after.before = known.before;
    }
    const entry = known ?? { key, before: ring, after: ring };
    entry.before = ring.before;
    entry.after = ring;
    ring.before.after = entry;
    ring.before = entry;
    if (known !== undefined) return true;
    this.#entries.set(key, entry);
    if (this.#entries.size > ROOM) {
      const oldest = ring.after;
      ring.after = oldest.after;
      oldest.after.before = ring;
      this.#entries.delete(oldest.key);
    }
    return false;
  }
}

class Sieve implements Measured {
  readonly #entries = new SieveCache<number, SieveEntry<number>>(ROOM);

  use(key: number): boolean {
    if (this.#entries.get(key) !== undefined) return true;
    this.#entries.set(new SieveEntry(key, 1));
    return false;
  }
}

/** The same requests for each: skewed, with scans. */
function createRequests(): Uint32Array {
  const upTo = new Float64Array(KEYS);
  let sum = 0;
  for (let key = 0; key < KEYS; key += 1) {
    sum += 1 / (key + 1) ** SKEW;
    upTo[key] = sum;
  }
  const requests = new Uint32Array(REQUESTS);
  let scan = 0;
  for (let place = 0; place < REQUESTS; place += 1) {
    if (place % SCAN_EVERY === SCAN_EVERY - 1) scan = KEYS / 10;
    if (scan > 0) {
      requests[place] = KEYS - scan;
      scan -= 1;
      continue;
    }
    const wanted = Math.random() * sum;
    let [low, high] = [0, KEYS - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    requests[place] = low;
  }
  return requests;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
}

const requests = createRequests();
const kinds = { SIEVE: () => new Sieve(), LRU: () => new Lru() };
const nanoseconds = { SIEVE: [] as number[], LRU: [] as number[] };
const hits = { SIEVE: 0, LRU: 0 };
for (let round = 0; round < ROUNDS; round += 1) {
  for (const name of ['SIEVE', 'LRU'] as const) {
    const cache: Measured = kinds[name]();
    let count = 0;
    for (const key of requests) if (cache.use(key)) count += 1;
    hits[name] = count;
    // The one that is used most, over and over: what a hit costs.
    const beganAt = performance.now();
    for (let use = 0; use < REQUESTS; use += 1) cache.use(use % 8);
    nanoseconds[name].push((1e6 * (performance.now() - beganAt)) / REQUESTS);
  }
}
console.log('| | hits | a hit takes |\n|---|---|---|');
for (const name of ['SIEVE', 'LRU'] as const) {
  const share = ((100 * hits[name]) / REQUESTS).toFixed(1);
  console.log(`| ${name} | ${share} % | ${median(nanoseconds[name]).toFixed(0)} ns |`);
}
