import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  ConcurrencyLimiter,
  NoSlot,
} from '../../../../services/contracts/concurrency/concurrency-limiter.ts';

/** A limiter, and tasks that end when they are told to. */
function create(limits: Partial<ConstructorParameters<typeof ConcurrencyLimiter>[0]> = {}) {
  const limiter = new ConcurrencyLimiter({ concurrency: 2, maximumWaiting: 2, ...limits });
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const run = (task: number) =>
    limiter.run(() => {
      started.push(task);
      return new Promise<number>((resolve) => {
        ends[task] = () => resolve(task);
      });
    });
  return { limiter, started, run, end: (task: number) => ends[task]?.() };
}

describe('ConcurrencyLimiter', () => {
  it('starts a task for each slot, and the others in order as slots are freed', async () => {
    const { end, limiter, run, started } = create();
    const all = [0, 1, 2, 3].map(run);
    await tick();
    expect(started).toEqual([0, 1]);
    expect([limiter.running, limiter.waiting]).toEqual([2, 2]);
    end(1);
    await tick();
    expect(started).toEqual([0, 1, 2]);
    for (const task of [0, 2]) end(task);
    await tick();
    end(3);
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
    expect([limiter.running, limiter.waiting]).toEqual([0, 0]);
  });

  it('refuses at once what comes when as many wait as may, and never starts it', async () => {
    const { end, run, started } = create({ maximumWaiting: 1 });
    const accepted = [0, 1, 2].map(run);
    await expect(run(3)).rejects.toThrow(NoSlot);
    for (const task of [0, 1, 2]) {
      end(task);
      await tick();
    }
    await Promise.all(accepted);
    expect(started).not.toContain(3);
  });

  it('refuses tasks that have waited too long, the oldest first, and gives the slots to later ones', async () => {
    const { end, limiter, run, started } = create({ concurrency: 1, maximumWaitMilliseconds: 20 });
    const first = run(0);
    const late = run(1);
    await expect(late).rejects.toThrow('20 ms');
    const next = run(2);
    end(0);
    await first;
    await tick();
    end(2);
    expect(await next).toBe(2);
    expect(started).toEqual([0, 2]);
    expect(limiter.running).toBe(0);
  });

  it('frees the slot of a task that fails', async () => {
    const { limiter } = create({ concurrency: 1 });
    const failing = limiter.run(() => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(limiter.running).toBe(0);
  });

  it('told to refuse those that wait, gives them the error and goes on', async () => {
    const { end, limiter, run } = create({ concurrency: 1 });
    const [first, second] = [run(0), run(1)];
    limiter.refuseWaiting(new Error('elsewhere'));
    await expect(second).rejects.toThrow('elsewhere');
    end(0);
    expect(await first).toBe(0);
    expect(limiter.running).toBe(0);
  });

  it('after forgetRunning, has all slots again, and frees none twice', async () => {
    const { end, limiter, run, started } = create({ concurrency: 1, maximumWaiting: 5 });
    const all = [0, 1, 2].map(run);
    limiter.forgetRunning();
    await tick();
    expect(started).toEqual([0, 1]);
    end(0);
    await tick();
    expect(started).toEqual([0, 1]);
    end(1);
    await tick();
    end(2);
    await Promise.all(all);
    expect([limiter.running, limiter.waiting]).toEqual([0, 0]);
    limiter.forgetRunning();
    expect(limiter.running).toBe(0);
  });
});
