import { outsideTrace } from '../tracing/trace-context.ts';

export interface BatcherOptions<Item> {
  /** Handles a batch. Must not throw. */
  readonly run: (items: readonly Item[]) => void;
  /** Most items of a batch. @default no limit */
  readonly maximum?: number;
  /**
   * How long the first item of a batch waits for others, in milliseconds; a full batch runs at once. Batches run outside of any trace, because
   * their items are of several requests.
   *
   * @default until the end of the tick: then all items run, in batches of `maximum`
   */
  readonly lingerMilliseconds?: number;
  /** Calls `flush` at the end of the tick. @default `setImmediate`, which runs after all I/O events of the tick */
  readonly atEndOfTick?: (flush: () => void) => void;
}

/** Calls `flush` at the end of the tick, outside of any trace: for items of several requests. */
export function atEndOfTickOutsideTrace(flush: () => void): void {
  outsideTrace(() => setImmediate(flush));
}

/** Runs items of several callers in batches: those of one tick of the event loop, or those of a time. */
export class Batcher<Item> {
  readonly #options: BatcherOptions<Item>;
  #items: Item[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #flush = () => this.flush();

  constructor(options: BatcherOptions<Item>) {
    this.#options = options;
  }

  /** Items that wait for their batch. */
  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    const count = this.#items.push(item);
    const { atEndOfTick = setImmediate, lingerMilliseconds, maximum } = this.#options;
    if (lingerMilliseconds === undefined) {
      if (count === 1) atEndOfTick(this.#flush);
    } else if (count === maximum) {
      outsideTrace(this.#flush);
    } else {
      this.#timer ??= outsideTrace(() => setTimeout(this.#flush, lingerMilliseconds));
    }
  }

  /** Runs the waiting items now. */
  flush(): void {
    const items = this.clear();
    const { maximum = items.length, run } = this.#options;
    if (items.length === 0) return;
    if (items.length <= maximum) run(items);
    else
      for (let start = 0; start < items.length; start += maximum)
        run(items.slice(start, start + maximum));
  }

  /** Drops the waiting items. @returns them */
  clear(): readonly Item[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const items = this.#items;
    this.#items = [];
    return items;
  }
}

export interface BatchOptions {
  /** Most keys of a batch. @default no limit */
  readonly maximum?: number;
  /** The trace of a batch: that of its first caller, or none. @default 'first' */
  readonly trace?: 'first' | 'none';
}

interface Call<Key, Value> {
  readonly key: Key;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes a function of one key out of a function of many: the keys of one tick are loaded together. A failure is that of all callers.
 *
 * @param loadAll - values in the order of their keys, an Error for a key that fails alone; keys may be equal.
 */
export function batched<Key, Value>(
  loadAll: (keys: readonly Key[]) => Promise<readonly (Value | Error)[]>,
  { maximum, trace = 'first' }: BatchOptions = {},
): (key: Key) => Promise<Value> {
  const batcher = new Batcher<Call<Key, Value>>({
    run: (calls) => void settle(calls, loadAll(calls.map(({ key }) => key))),
    ...(maximum === undefined ? {} : { maximum }),
    ...(trace === 'none' && { atEndOfTick: atEndOfTickOutsideTrace }),
  });
  return (key) => new Promise((resolve, reject) => batcher.add({ key, resolve, reject }));
}

async function settle<Key, Value>(
  calls: readonly Call<Key, Value>[],
  loading: Promise<readonly (Value | Error)[]>,
): Promise<void> {
  try {
    const values = (await loading).values();
    for (const { resolve, reject } of calls) {
      const { done, value } = values.next();
      if (done === true) reject(new Error(`A batch of ${calls.length} returned fewer values`));
      else if (value instanceof Error) reject(value);
      else resolve(value);
    }
  } catch (error) {
    for (const { reject } of calls) reject(error);
  }
}
