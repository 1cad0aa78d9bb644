import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { withDeadline } from '../../../../services/contracts/concurrency/deadline.ts';

const tooLate = () => new Error('Too late');

function stopTheClock() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

describe('withDeadline', () => {
  it('passes on what the work returns or throws, and leaves no timer', async () => {
    stopTheClock();
    expect(await withDeadline(1_000, tooLate, async () => 7)).toBe(7);
    const failing = withDeadline(1_000, tooLate, () => Promise.reject(new Error('Failed')));
    await expect(failing).rejects.toThrow('Failed');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('at the deadline and not before, throws its error and aborts the work with it', async () => {
    stopTheClock();
    let signal: AbortSignal | undefined;
    let error: unknown;
    const running = withDeadline(1_000, tooLate, (given) => {
      signal = given;
      return new Promise(() => {});
    }).catch((thrown) => {
      error = thrown;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect([error, signal?.aborted]).toEqual([undefined, false]);
    await vi.advanceTimersByTimeAsync(1);
    await running;
    expect(error).toEqual(new Error('Too late'));
    expect(signal?.reason).toBe(error);
  });

  it('when the work fails after the deadline, ignores it', async () => {
    stopTheClock();
    const work = Promise.withResolvers<never>();
    const running = withDeadline(1_000, tooLate, () => work.promise).catch(String);
    await vi.advanceTimersByTimeAsync(1_000);
    work.reject(new Error('Failed'));
    expect(await running).toBe('Error: Too late');
  });
});
