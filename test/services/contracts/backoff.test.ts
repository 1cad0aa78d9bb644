import { expect, it, onTestFinished, vi } from 'vitest';
import { exponentialDelay, withJitter } from '../../../services/contracts/backoff.ts';

it('doubles the delay with each failure, up to the longest', () => {
  const delays = [1, 2, 3, 4, 5, 5_000].map((failures) => exponentialDelay(failures, 1_000, 9_000));
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 9_000, 9_000]);
});

it('spreads a delay over its second half', () => {
  const random = vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(1);
  onTestFinished(() => random.mockRestore());
  expect([withJitter(1_000), withJitter(1_000)]).toEqual([500, 1_000]);
});
