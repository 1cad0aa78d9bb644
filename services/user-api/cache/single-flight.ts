/**
 * A table without V8's `Map`: of that, each old table points to the one that was made after it, so that with thousands of keys that come
 * and go a second, young objects are kept until a full collection (see http/answers-under-way.ts).
 */
function createTable<Value>(): Partial<Record<string | number, Value>> {
  return Object.create(null);
}

/** Loads of the same key at the same time are one load, which all who ask wait for. */
export class SingleFlight<Key extends string | number, Value> {
  readonly #flights = createTable<Promise<Value>>();

  /** Whether a load of `key` is under way. */
  has(key: Key): boolean {
    return this.#flights[key] !== undefined;
  }

  run(key: Key, load: () => Promise<Value>): Promise<Value> {
    const underWay = this.#flights[key];
    if (underWay !== undefined) return underWay;
    const flight = load().finally(() => {
      delete this.#flights[key];
    });
    this.#flights[key] = flight;
    return flight;
  }
}

interface Flight<Value> {
  readonly current: Promise<Value>;
  next: Promise<Value> | undefined;
  /** How many wait for the next one. */
  waiting: number;
}

/**
 * Like {@link SingleFlight}, but nobody gets an answer to a question that was put before theirs: who comes while a load is under
 * way shares the one after it. So a key has at most one load under way, nobody waits for more than two, and what was true
 * before a read began is what it gets, or something newer.
 */
export class NextFlight<Key extends string | number, Value> {
  readonly #flights = createTable<Flight<Value>>();

  /** How many wait for the load of `key` that comes after the one under way. */
  waiting(key: Key): number {
    return this.#flights[key]?.waiting ?? 0;
  }

  run(key: Key, load: () => Promise<Value>): Promise<Value> {
    const flight = this.#flights[key];
    if (flight === undefined) return this.#start(key, load);
    flight.waiting += 1;
    const startNext = () => this.#start(key, load);
    flight.next ??= flight.current.then(startNext, startNext);
    return flight.next;
  }

  #start(key: Key, load: () => Promise<Value>): Promise<Value> {
    const flight: Flight<Value> = {
      current: load().finally(() => {
        if (flight.next === undefined) delete this.#flights[key];
      }),
      next: undefined,
      waiting: 0,
    };
    this.#flights[key] = flight;
    return flight.current;
  }
}
