import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  Batcher,
  type BatchOptions,
  batched,
} from '../../../../services/contracts/batching/batcher.ts';
import {
  currentTrace,
  inTrace,
  parseTraceParent,
} from '../../../../services/contracts/tracing/trace-context.ts';

function observe(options?: BatchOptions) {
  const calls: (readonly number[])[] = [];
  const traces: unknown[] = [];
  const double = batched(async (keys: readonly number[]) => {
    calls.push(keys);
    traces.push(currentTrace());
    if (keys.includes(0)) throw new Error('zero');
    return keys.map((key) => (key < 0 ? new RangeError('below zero') : 2 * key));
  }, options);
  return { calls, double, traces };
}

describe('batched', () => {
  it('loads the keys of one tick together, also after promises, and gives each its value', async () => {
    const { calls, double } = observe();
    const late = Promise.resolve()
      .then(() => {})
      .then(() => double(3));
    expect(await Promise.all([double(1), double(2), late, double(1)])).toEqual([2, 4, 6, 2]);
    expect(calls).toEqual([[1, 2, 1, 3]]);
  });

  it('loads a key of a later tick again', async () => {
    const { calls, double } = observe();
    await double(1);
    await tick();
    await double(1);
    expect(calls).toEqual([[1], [1]]);
  });

  it('fails for all keys of a batch, and for none of the next', async () => {
    const { double } = observe();
    const results = await Promise.allSettled([double(0), double(1)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await double(1)).toBe(2);
  });

  it('fails alone for a key whose value is an error', async () => {
    const { double } = observe();
    const [failed, succeeded] = await Promise.allSettled([double(-1), double(1)]);
    expect(failed).toMatchObject({ status: 'rejected', reason: new RangeError('below zero') });
    expect(succeeded).toEqual({ status: 'fulfilled', value: 2 });
  });

  it('loads at most the maximum together, and the rest in the same tick', async () => {
    const { calls, double } = observe({ maximum: 2 });
    expect(await Promise.all([double(1), double(2), double(3)])).toEqual([2, 4, 6]);
    expect(calls).toEqual([[1, 2], [3]]);
  });

  it('loads in the trace of the first caller, or in none', async () => {
    const trace = parseTraceParent('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    if (trace === null) throw new Error('This is a traceparent');
    const [ofFirst, ofNobody] = [observe(), observe({ trace: 'none' })];
    await inTrace(trace, () => Promise.all([ofFirst.double(1), ofNobody.double(1)]));
    expect(ofFirst.traces).toEqual([trace]);
    expect(ofNobody.traces).toEqual([undefined]);
  });

  it('rejects the keys without a value', async () => {
    const short = batched(async (keys: readonly number[]) => keys.slice(1));
    const results = await Promise.allSettled([short(1), short(2)]);
    expect(results).toMatchObject([
      { value: 2 },
      { reason: { message: 'A batch of 2 returned fewer values' } },
    ]);
  });
});

describe('Batcher', () => {
  function lingering(maximum?: number) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const batches: (readonly number[])[] = [];
    const traces: unknown[] = [];
    const batcher = new Batcher<number>({
      lingerMilliseconds: 100,
      ...(maximum !== undefined && { maximum }),
      run: (items) => {
        batches.push(items);
        traces.push(currentTrace());
      },
    });
    return { batcher, batches, traces };
  }

  it('that lingers, runs its items after that time, and a full batch at once', () => {
    const { batcher, batches } = lingering(3);
    for (const item of [1, 2]) batcher.add(item);
    vi.advanceTimersByTime(99);
    expect([batches, batcher.size]).toEqual([[], 2]);
    vi.advanceTimersByTime(1);
    expect([batches, batcher.size]).toEqual([[[1, 2]], 0]);
    for (const item of [3, 4, 5, 6]) batcher.add(item);
    expect([batches.at(-1), batcher.size]).toEqual([[3, 4, 5], 1]);
    vi.advanceTimersByTime(100);
    expect(batches.at(-1)).toEqual([6]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that lingers, runs outside of any trace', () => {
    const { batcher, traces } = lingering(2);
    const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };
    inTrace(trace, () => {
      for (const item of [1, 2, 3]) batcher.add(item);
    });
    vi.advanceTimersByTime(100);
    expect(traces).toEqual([undefined, undefined]);
  });

  it('runs its items on demand, or drops them, and leaves no timer', () => {
    const { batcher, batches } = lingering();
    batcher.add(1);
    batcher.flush();
    batcher.flush();
    batcher.add(2);
    expect(batcher.clear()).toEqual([2]);
    expect([batches, batcher.size, vi.getTimerCount()]).toEqual([[[1]], 0, 0]);
  });
});
