import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  TRACES_MAXIMUM_PER_SECOND,
  TraceSampler,
} from '../../../../services/user-api/observability/requests/request-observer.ts';

const parent = (sampled: boolean) => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled });

describe('TraceSampler', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  const admitted = (sampler: TraceSampler, requests: number) =>
    Array.from({ length: requests }, () => sampler.admits(parent(true))).filter(Boolean).length;

  it('admits so many in a second, and as many again in the next', () => {
    const sampler = new TraceSampler(1);
    vi.advanceTimersByTime(5_000);

    expect(admitted(sampler, 1_000)).toBe(TRACES_MAXIMUM_PER_SECOND);
    vi.advanceTimersByTime(999);
    expect(admitted(sampler, 1_000)).toBe(0);
    vi.advanceTimersByTime(1);
    expect(admitted(sampler, 1_000)).toBe(TRACES_MAXIMUM_PER_SECOND);
  });

  it('admits nothing whose caller does not record, and takes no place for it', () => {
    const sampler = new TraceSampler(1);
    vi.advanceTimersByTime(5_000);

    expect(sampler.admits(parent(false))).toBe(false);
    expect(admitted(sampler, 1_000)).toBe(TRACES_MAXIMUM_PER_SECOND);
  });

  it.each([0, 0.1, 0.5, 1])('chooses the fraction %d of requests', (ratio) => {
    const sampler = new TraceSampler(ratio);
    const requests = 20_000;
    const chosen = Array.from({ length: requests }, () => sampler.chooses()).filter(Boolean).length;

    // Seven standard deviations of a binomial distribution: wrong once in 10^11 runs.
    const tolerance = 7 * Math.sqrt(requests * ratio * (1 - ratio));
    expect(Math.abs(chosen - requests * ratio)).toBeLessThanOrEqual(tolerance);
  });
});
