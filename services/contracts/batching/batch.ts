import DataLoader from 'dataloader';
import { outsideTrace } from '../tracing/trace-context.ts';

export interface BatchOptions {
  readonly maximum?: number;
  readonly trace?: 'first' | 'none';
}

/**
 * Makes a function of one key out of one of many: what is asked for in the same turn of the event loop, such as by the messages
 * of one batch, is asked for together, in one statement. A failure is that of all who asked together.
 *
 * @param loadAll - values in the order of their keys, an Error for a key that has failed by itself; keys may be equal.
 * @param options.maximum - most keys that are asked for together; the rest of them at the same time. @default no bound
 * @param options.trace - whose trace the asking is part of: that of whoever asked first, or none. @default 'first'
 */
export function gather<Key, Value>(
  loadAll: (keys: readonly Key[]) => Promise<readonly (Value | Error)[]>,
  { maximum = Number.POSITIVE_INFINITY, trace = 'first' }: BatchOptions = {},
): (key: Key) => Promise<Value> {
  const loader = new DataLoader<Key, Value>(loadAll, {
    // Each answer is for those who wait for it: the next batch is to see what has changed.
    cache: false,
    maxBatchSize: maximum,
    // After all answers that this turn brings, and not just after those that the first of them brings about.
    batchScheduleFn: (load) => {
      if (trace === 'first') setImmediate(load);
      else outsideTrace(() => setImmediate(load));
    },
  });
  return (key) => loader.load(key);
}
