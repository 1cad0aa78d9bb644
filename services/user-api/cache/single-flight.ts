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
 * Like {@link SingleFlight}, but nobody gets a response to a question that was put before theirs: who comes while a load is under
 * way shares the one after it. So a key has at most one load in flight, nobody waits for more than two, and what was true
 * before a read began is what it gets, or something newer.
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
