import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type BatchOptions, gather } from '../../../../services/contracts/batching/batch.ts';
import { currentTrace, inTrace } from '../../../../services/contracts/tracing/trace-context.ts';
import { parseTraceParent } from '../../../../services/contracts/tracing/trace-parent.ts';

function batched(options?: BatchOptions) {
  const calls: (readonly number[])[] = [];
  const traces: unknown[] = [];
  const double = gather(async (keys: readonly number[]) => {
    calls.push(keys);
    traces.push(currentTrace());
    if (keys.includes(0)) throw new Error('zero');
    return keys.map((key) => (key < 0 ? new RangeError('below zero') : 2 * key));
  }, options);
  return { calls, double, traces };
}

describe('gather', () => {
  it('loads at once what is asked for in one turn, also after promises, and gives each its own', async () => {
    const { calls, double } = batched();
    const late = Promise.resolve()
      .then(() => {})
      .then(() => double(3));
    expect(await Promise.all([double(1), double(2), late, double(1)])).toEqual([2, 4, 6, 2]);
    expect(calls).toEqual([[1, 2, 1, 3]]);
  });

  it('loads anew what is asked for again later', async () => {
    const { calls, double } = batched();
    await double(1);
    await turn();
    await double(1);
    expect(calls).toEqual([[1], [1]]);
  });

  it('fails for all who asked together, and for nobody after them', async () => {
    const { double } = batched();
    const results = await Promise.allSettled([double(0), double(1)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await double(1)).toBe(2);
  });

  it('fails for one alone whose value is an error', async () => {
    const { double } = batched();
    const [failed, succeeded] = await Promise.allSettled([double(-1), double(1)]);
    expect(failed).toMatchObject({ status: 'rejected', reason: new RangeError('below zero') });
    expect(succeeded).toEqual({ status: 'fulfilled', value: 2 });
  });

  it('asks for no more together than it may, and for the rest in the same turn', async () => {
    const { calls, double } = batched({ maximum: 2 });
    expect(await Promise.all([double(1), double(2), double(3)])).toEqual([2, 4, 6]);
    expect(calls).toEqual([[1, 2], [3]]);
  });

  it('asks in the trace of who asked first, or in none', async () => {
    const trace = parseTraceParent('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    if (trace === null) throw new Error('This is a traceparent');
    const [ofFirst, ofNobody] = [batched(), batched({ trace: 'none' })];
    await inTrace(trace, () => Promise.all([ofFirst.double(1), ofNobody.double(1)]));
    expect(ofFirst.traces).toEqual([trace]);
    expect(ofNobody.traces).toEqual([undefined]);
  });
});
