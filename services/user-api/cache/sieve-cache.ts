/** What a {@link SieveCache} holds; entries extend it, so that each costs one object. */
export class SieveEntry<Key> {
  readonly key: Key;
  /** Bytes that count towards the cache's bound. */
  size: number;
  /** Whether it was used since the hand last passed. For the cache alone, as are the two below. */
  visited = false;
  younger: this | undefined = undefined;
  older: this | undefined = undefined;

  constructor(key: Key, size: number) {
    this.key = key;
    this.size = size;
  }
}

/**
 * A map bounded in bytes, which evicts by SIEVE: Zhang et al., "SIEVE is Simpler than LRU: an Efficient Turn-Key Eviction
 * Algorithm for Web Caches", NSDI 2024 (https://www.usenix.org/conference/nsdi24/presentation/zhang-yazhuo). Entries stand in the order in which they came;
 * a use only marks one. To evict, a hand goes from the oldest to the youngest, spares marked entries and unmarks them, and takes the first
 * unmarked one.
 *
 * Why not LRU, as libraries have it: a use takes less than half the time, as nothing is moved, and of skewed requests with scans among them more hit.
 * docs/cache.md has the measurement, `test/services/user-api/cache/measure/eviction.ts` repeats it.
 */
export class SieveCache<Key, Entry extends SieveEntry<Key>> {
  readonly maximumBytes: number;
  readonly #entries = new Map<Key, Entry>();
  #youngest: Entry | undefined;
  #oldest: Entry | undefined;
  #hand: Entry | undefined;
  #bytes = 0;
  #evictions = 0;

  constructor(maximumBytes: number) {
    this.maximumBytes = maximumBytes;
  }

  get count(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Entries that had to go for others since the cache was made. */
  get evictions(): number {
    return this.#evictions;
  }

  /** The entry, which counts as used. */
  get(key: Key): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) entry.visited = true;
    return entry;
  }

  /** The entry, without any effect. */
  peek(key: Key): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Puts an entry in, in place of one with the same key, and evicts others to make room. One that is larger than all the room is left out. */
  set(entry: Entry): void {
    const replaced = this.#entries.get(entry.key);
    if (replaced !== undefined) {
      // Who replaces an entry has usually been asked for it.
      entry.visited = replaced.visited;
      this.#remove(replaced);
    }
    if (entry.size > this.maximumBytes) return;
    entry.older = this.#youngest;
    if (this.#youngest !== undefined) this.#youngest.younger = entry;
    this.#youngest = entry;
    this.#oldest ??= entry;
    this.#entries.set(entry.key, entry);
    this.#bytes += entry.size;
    this.#evict();
  }

  /** To be called when an entry that is in here has become larger. */
  grew(entry: Entry, bytes: number): void {
    entry.size += bytes;
    this.#bytes += bytes;
    this.#evict();
  }

  delete(key: Key): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#remove(entry);
    return true;
  }

  clear(): void {
    this.#entries.clear();
    this.#youngest = undefined;
    this.#oldest = undefined;
    this.#hand = undefined;
    this.#bytes = 0;
  }

  #evict(): void {
    while (this.#bytes > this.maximumBytes) {
      let candidate = this.#hand ?? this.#oldest;
      while (candidate?.visited) {
        candidate.visited = false;
        candidate = candidate.younger ?? this.#oldest;
      }
      if (candidate === undefined) return;
      this.#hand = candidate;
      this.#remove(candidate);
      this.#evictions += 1;
    }
  }

  #remove(entry: Entry): void {
    // The hand goes on with the next younger one.
    if (this.#hand === entry) this.#hand = entry.younger;
    if (entry.younger === undefined) this.#youngest = entry.older;
    else entry.younger.older = entry.older;
    if (entry.older === undefined) this.#oldest = entry.younger;
    else entry.older.younger = entry.younger;
    // A caller that still holds the entry does not hold its neighbours.
    entry.younger = undefined;
    entry.older = undefined;
    this.#entries.delete(entry.key);
    this.#bytes -= entry.size;
  }
}
