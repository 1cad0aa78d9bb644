/** Tells Redis what `lease` of `key` spent. Never rejects; puts what could not be told back into the queue. */
export type Settle<Lease> = (key: string, lease: Lease) => Promise<void>;

export interface SettlementQueueOptions<Lease> {
  readonly settle: Settle<Lease>;
  /** Longest that an entry waits, in milliseconds, while {@link ready} says so. */
  readonly intervalMilliseconds: number;
  /** Whether settling is worth a try now; else the queue waits another interval. */
  readonly ready: () => boolean;
}

/**
 * Leases with something to tell Redis, each at most once. They are held here also when the limiter has forgotten the key. Nothing is sent
 * within the turn of the event loop that a request is answered in.
 */
export class SettlementQueue<Lease> {
  readonly #options: SettlementQueueOptions<Lease>;
  readonly #soon = new Map<string, Lease>();
  readonly #later = new Map<string, Lease>();
  readonly #underWay = new Set<Promise<void>>();
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SettlementQueueOptions<Lease>) {
    this.#options = options;
  }

  /** The lease of `key` that waits here. */
  get(key: string): Lease | undefined {
    return this.#soon.get(key) ?? this.#later.get(key);
  }

  /** Settles `lease` once the requests at hand are answered. */
  soon(key: string, lease: Lease): void {
    this.#soon.set(key, lease);
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#drain(this.#soon);
    });
  }

  /** Settles `lease` within an interval, with the others that wait. */
  later(key: string, lease: Lease): void {
    this.#later.set(key, lease);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#drain(this.#later);
    }, this.#options.intervalMilliseconds).unref();
  }

  /** Settles everything now, once, and waits for it; what cannot be told now is not told any more. */
  async close(): Promise<void> {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#drain(this.#soon);
    this.#drain(this.#later);
    await Promise.all(this.#underWay);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #drain(leases: Map<string, Lease>): void {
    const ready = this.#options.ready();
    const entries = [...leases];
    leases.clear();
    for (const [key, lease] of entries) {
      if (!ready) {
        this.later(key, lease);
        continue;
      }
      const settlement: Promise<void> = this.#options
        .settle(key, lease)
        .finally(() => this.#underWay.delete(settlement));
      this.#underWay.add(settlement);
    }
  }
}
