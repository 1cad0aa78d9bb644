import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { gather } from '../../../lambda-workers/database/gather.ts';

function gathered() {
  const calls: (readonly number[])[] = [];
  const double = gather(async (keys: readonly number[]) => {
    calls.push(keys);
    if (keys.includes(0)) throw new Error('zero');
    return keys.map((key) => 2 * key);
  });
  return { calls, double };
}

describe('gather', () => {
  it('loads at once what is asked for in one turn, also after promises, and gives each its own', async () => {
    const { calls, double } = gathered();
    const late = Promise.resolve()
      .then(() => {})
      .then(() => double(3));
    expect(await Promise.all([double(1), double(2), late, double(1)])).toEqual([2, 4, 6, 2]);
    expect(calls).toEqual([[1, 2, 1, 3]]);
  });

  it('loads anew what is asked for again later', async () => {
    const { calls, double } = gathered();
    await double(1);
    await turn();
    await double(1);
    expect(calls).toEqual([[1], [1]]);
  });

  it('fails for all who asked together, and for nobody after them', async () => {
    const { double } = gathered();
    const results = await Promise.allSettled([double(0), double(1)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await double(1)).toBe(2);
  });
});
