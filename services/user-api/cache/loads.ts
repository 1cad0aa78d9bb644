import { ConcurrencyLimiter } from '../../contracts/concurrency/concurrency-limiter.ts';
import type { CacheMetrics } from '../observability/metrics/counters.ts';
import type { FillTicket, NearCache } from './near-cache.ts';
import type { VersionedEntry } from './versioned-cache.ts';

type Key = string | number;

/** A load that is in flight, and the next one in its chain. */
interface Flight<Value> {
  readonly key: Key;
  readonly current: Promise<Value>;
  following: this | undefined;
}

/** Chains in a table: some times as many as loads are in flight at once. A power of two. */
const CHAINS = 256;

/** Ids spread well by their last bits; texts have no cheap hash, and are few. */
function chainOf(key: Key): number {
  return (typeof key === 'number' ? key : key.length) & (CHAINS - 1);
}

/**
 * Flights by key, chained by hand. A `Map` would do, were it not for its tables: V8 makes a new one for every few dozen keys that come and go, and
 * keeps young objects by the old ones until a full collection (see `ResponsesInFlight` in app/pipeline.ts). An object takes longer to delete a
 * property than all else does that a hit in the shared cache needs here.
 */
class FlightTable<Entry extends Flight<unknown>> {
  readonly #chains = new Array<Entry | undefined>(CHAINS).fill(undefined);

  get(key: Key): Entry | undefined {
    let flight = this.#chains[chainOf(key)];
    while (flight !== undefined && flight.key !== key) flight = flight.following;
    return flight;
  }

  add(flight: Entry): void {
    const chain = chainOf(flight.key);
    flight.following = this.#chains[chain];
    this.#chains[chain] = flight;
  }

  remove(flight: Entry): void {
    const chain = chainOf(flight.key);
    let before = this.#chains[chain];
    if (before === flight) this.#chains[chain] = flight.following;
    else {
      while (before !== undefined && before.following !== flight) before = before.following;
      if (before !== undefined) before.following = flight.following;
    }
  }
}

/** Loads of the same key at the same time are one load, which all who ask wait for. */
export class SingleFlight<Value> {
  readonly #flights = new FlightTable<Flight<Value>>();

  /** Whether a load of `key` is in flight. */
  has(key: Key): boolean {
    return this.#flights.get(key) !== undefined;
  }

  run(key: Key, load: () => Promise<Value>): Promise<Value> {
    const inFlight = this.#flights.get(key);
    if (inFlight !== undefined) return inFlight.current;
    const flight: Flight<Value> = { key, current: load(), following: undefined };
    this.#flights.add(flight);
    const end = () => this.#flights.remove(flight);
    flight.current.then(end, end);
    return flight.current;
  }
}

interface FollowedFlight<Value> extends Flight<Value> {
  next: Promise<Value> | undefined;
  /** How many wait for the next one. */
  waiting: number;
}

/** Begins a load, and calls `done` once, at once or later, with what it comes to: a promise that is rejected if it fails. It must not throw. */
export type BeginLoad<Value> = (done: (result: Value | Promise<Value>) => void) => void;

/**
 * Like {@link SingleFlight}, but a read never gets a load that began before it: reads that come while one is in flight share the next one. So a
 * key has at most one load in flight, a read waits for two at most, and gets what was true when it began, or something newer.
 */
export class NextFlight<Value> {
  readonly #flights = new FlightTable<FollowedFlight<Value>>();

  /** How many wait for the load of `key` that comes after the one in flight. */
  waiting(key: Key): number {
    return this.#flights.get(key)?.waiting ?? 0;
  }

  run(key: Key, begin: BeginLoad<Value>): Promise<Value> {
    const flight = this.#flights.get(key);
    if (flight === undefined) return this.#start(key, begin);
    flight.waiting += 1;
    const startNext = () => {
      this.#flights.remove(flight);
      return this.#start(key, begin);
    };
    flight.next ??= flight.current.then(startNext, startNext);
    return flight.next;
  }

  #start(key: Key, begin: BeginLoad<Value>): Promise<Value> {
    const { promise, resolve } = Promise.withResolvers<Value>();
    const flight: FollowedFlight<Value> = {
      key,
      current: promise,
      following: undefined,
      next: undefined,
      waiting: 0,
    };
    this.#flights.add(flight);
    begin((result) => {
      // Until the next one begins, this one is there for those who come.
      if (flight.next === undefined) this.#flights.remove(flight);
      resolve(result);
    });
    return promise;
  }
}

/** Too many reads wait for the database already; this one was not begun. */
export class ReadsShed extends Error {
  override readonly name = 'ReadsShed';
}

/**
 * Bounds how many loads from the database are in flight at once. Without it, caches that fail turn every read into a load, and the database that
 * is asked by all serves nobody in time; with it, the reads that are let through stay fast.
 */
export class LoadLimit {
  readonly #maximum: number;
  readonly #metrics: CacheMetrics;
  readonly #slots: ConcurrencyLimiter;

  constructor(maximum: number, metrics: CacheMetrics) {
    this.#maximum = maximum;
    this.#metrics = metrics;
    this.#slots = new ConcurrencyLimiter({ concurrency: maximum, maximumWaiting: 0 });
  }

  /** Whether there is room for what nobody waits for: it leaves half of the slots to those who do. */
  get hasRoomToSpare(): boolean {
    return this.#slots.running < this.#maximum / 2;
  }

  /** @throws {@link ReadsShed} when as many loads are in flight as there may be. */
  async run<Value>(load: () => Promise<Value>): Promise<Value> {
    const slot = this.#slots.tryTake();
    if (slot === undefined) {
      this.#metrics.shed += 1;
      throw new ReadsShed(`${this.#maximum} reads wait for the database`);
    }
    try {
      return await load();
    } finally {
      this.#slots.free(slot);
    }
  }
}

/**
 * The loads of a process, of which those of one resource at the same time are one. A load that began earlier may lack what was written since. That does
 * no harm where this process has been notified of it, and remembers it; else nobody gets a load that began before they asked.
 */
export class LoadsInFlight {
  readonly #near: Pick<NearCache, 'isOpen' | 'ticket'>;
  readonly #metrics: CacheMetrics;
  /** Loads that began while this process was notified of every write, and had forgotten none since {@link #known}. */
  #notifiedLoads = new SingleFlight<VersionedEntry>();
  #known: FillTicket;
  readonly #unnotifiedLoads = new NextFlight<VersionedEntry>();

  constructor(near: Pick<NearCache, 'isOpen' | 'ticket'>, metrics: CacheMetrics) {
    this.#near = near;
    this.#metrics = metrics;
    this.#known = near.ticket();
  }

  /** @throws what `load` throws. */
  run(id: number, load: () => Promise<VersionedEntry>): Promise<VersionedEntry> {
    if (!this.#near.isOpen) return this.#unnotifiedLoads.run(id, asBegun(load));
    const now = this.#near.ticket();
    const { forgotten, opening } = this.#known;
    if (now.opening !== opening || now.forgotten !== forgotten) {
      this.#notifiedLoads = new SingleFlight();
      this.#known = now;
    }
    if (this.#notifiedLoads.has(id)) this.#metrics.sharedLoads += 1;
    return this.#notifiedLoads.run(id, load);
  }
}

/** A load as {@link NextFlight} begins it: done when its promise is settled. */
function asBegun<Value>(load: () => Promise<Value>): BeginLoad<Value> {
  return (done) => {
    const loading = load();
    const end = () => done(loading);
    loading.then(end, end);
  };
}
