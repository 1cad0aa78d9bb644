import { setImmediate as tick } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ConcurrencyLimiter,
  NoSlot,
} from '../../../../services/contracts/concurrency/concurrency-limiter.ts';

/** A limiter that forgets a task leaves it waiting for ever. */
const HANGS_AFTER_MILLISECONDS = 10_000;

/** A limiter, and tasks that end on command. */
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

  it('refuses those that wait with the error that it is given, and goes on', async () => {
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

describe('ConcurrencyLimiter with several callers', { timeout: HANGS_AFTER_MILLISECONDS }, () => {
  it('never runs more than it may, keeps the order, and refuses what is too many at once', async () => {
    const schedule = fc.record({
      concurrency: fc.integer({ min: 1, max: 4 }),
      maximumWaiting: fc.integer({ min: 0, max: 6 }),
      tasks: fc.integer({ min: 1, max: 20 }),
      failing: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(schedule, async ({ concurrency, maximumWaiting, tasks, failing }) => {
        const limiter = new ConcurrencyLimiter({ concurrency, maximumWaiting });
        const started: number[] = [];
        let most = 0;
        const outcomes = await Promise.allSettled(
          Array.from({ length: tasks }, (_, task) =>
            limiter.run(async () => {
              started.push(task);
              most = Math.max(most, limiter.running);
              await tick();
              if (task === failing) throw new Error('the task itself');
            }),
          ),
        );

        const taken = Math.min(tasks, concurrency + maximumWaiting);
        expect(started).toEqual(Array.from({ length: taken }, (_, task) => task));
        expect(most).toBe(Math.min(concurrency, tasks));
        outcomes.slice(taken).forEach((outcome) => {
          expect(outcome.status === 'rejected' && outcome.reason).toBeInstanceOf(NoSlot);
        });
        expect([limiter.running, limiter.waiting]).toEqual([0, 0]);
      }),
      { numRuns: 100 },
    );
  });

  it("has callers take turns, and one caller's crowd make room for others", async () => {
    const limiter = new ConcurrencyLimiter({ concurrency: 1, maximumWaiting: 6 });
    const started: string[] = [];
    const refused: string[] = [];
    const run = (caller: string, count: number) =>
      Array.from({ length: count }, (_, at) =>
        limiter
          .run(async () => {
            started.push(`${caller}${at}`);
            await tick();
          }, caller)
          .catch((error: unknown) => {
            expect(error).toBeInstanceOf(NoSlot);
            refused.push(`${caller}${at}`);
          }),
      );
    await Promise.all([...run('crowd', 9), ...run('owner', 2), ...run('guest', 4)]);
    expect(started).toEqual(['crowd0', 'crowd1', 'owner0', 'guest0', 'crowd2', 'owner1', 'guest1']);
    expect(refused.toSorted()).toEqual(
      ['crowd7', 'crowd8', 'crowd6', 'crowd5', 'crowd4', 'crowd3', 'guest2', 'guest3'].toSorted(),
    );
    expect([limiter.running, limiter.waiting]).toEqual([0, 0]);
  });

  it('makes no room where the caller would then have as many as the one who has most', async () => {
    const limiter = new ConcurrencyLimiter({ concurrency: 1, maximumWaiting: 3 });
    const run = (caller: string) => limiter.run(async () => caller, caller);
    const outcomes = await Promise.allSettled(['a', 'a', 'a', 'b', 'b', 'c'].map(run));

    // b has one of three places and gets no second; c has none and gets one of a's two.
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  it('refuses all who have waited too long, whose turn it would be or not', async () => {
    const limiter = new ConcurrencyLimiter({
      concurrency: 1,
      maximumWaiting: 6,
      maximumWaitMilliseconds: 20,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = limiter.run(() => promise);
    const late = ['a', 'a', 'b'].map((caller) => limiter.run(async () => caller, caller));
    const outcomes = await Promise.allSettled(late);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(limiter.waiting).toBe(0);
    resolve();
    await first;
    expect(limiter.running).toBe(0);
  });
});
