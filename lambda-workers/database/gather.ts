import DataLoader from 'dataloader';

/**
 * Makes a function of one key out of one of many: what is asked for in the same turn of the event loop, such as by the messages
 * of one batch, is asked for together, in one statement. A failure is that of all who asked together.
 *
 * In a trace, the statement belongs to whoever asked first.
 *
 * @param loadAll - values in the order of their keys; keys may be equal.
 */
export function gather<Key, Value>(
  loadAll: (keys: readonly Key[]) => Promise<readonly Value[]>,
): (key: Key) => Promise<Value> {
  const loader = new DataLoader(loadAll, {
    // Each answer is for those who wait for it: the next batch is to see what has changed.
    cache: false,
    // After all answers that this turn brings, and not just after those that the first of them brings about.
    batchScheduleFn: (load) => {
      setImmediate(load);
    },
  });
  return (key) => loader.load(key);
}
