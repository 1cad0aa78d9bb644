export interface KnownVersionsOptions {
  /** Most ids in each of the two halves. @default 65,536, some 5 MB for both */
  readonly maximum?: number;
  /** Longest that a half is filled, in milliseconds. @default 60,000 */
  readonly fillMilliseconds?: number;
  /** Milliseconds since any moment. @default performance.now */
  readonly clock?: () => number;
}

const MAXIMUM = 65_536;
const FILL_MILLISECONDS = 60_000;

/**
 * The newest version of each resource that this process has lately written or been notified of: nothing older is the truth, whatever a
 * cache or a reader says.
 *
 * It has two halves. The younger one is filled; when it is full, or old, it takes the place of the older one, which is
 * forgotten as a whole. So it is bounded, without a timer or a time for each id, and it can tell since when it has forgotten nothing.
 */
export class KnownVersions {
  readonly #maximum: number;
  readonly #fillMilliseconds: number;
  readonly #clock: () => number;
  #younger = new Map<number, number>();
  #older = new Map<number, number>();
  #youngerSince: number;
  #olderSince: number;
  #forgotten = 0;

  constructor(options: KnownVersionsOptions = {}) {
    this.#maximum = options.maximum ?? MAXIMUM;
    this.#fillMilliseconds = options.fillMilliseconds ?? FILL_MILLISECONDS;
    this.#clock = options.clock ?? (() => performance.now());
    this.#youngerSince = this.#clock();
    this.#olderSince = this.#youngerSince;
  }

  /** How often a half has been forgotten. Versions recorded since it was one less are all there. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Since when nothing has been forgotten, by the clock. */
  get completeSince(): number {
    return this.#olderSince;
  }

  record(id: number, version: number): void {
    if (version <= this.minimumVersion(id)) return;
    this.#younger.set(id, version);
    const now = this.#clock();
    if (this.#younger.size < this.#maximum && now - this.#youngerSince < this.#fillMilliseconds) {
      return;
    }
    this.#older = this.#younger;
    this.#olderSince = this.#youngerSince;
    this.#younger = new Map();
    this.#youngerSince = now;
    this.#forgotten += 1;
  }

  /** The newest version of `id` that is remembered; 0 when none is. */
  minimumVersion(id: number): number {
    return this.#younger.get(id) ?? this.#older.get(id) ?? 0;
  }
}
