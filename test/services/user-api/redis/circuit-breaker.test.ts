import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../../services/user-api/redis/circuit-breaker.ts';

const OPEN_MILLISECONDS = 1_000;

describe('CircuitBreaker', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('after failures in a row, says no, then lets one try, and all once that one succeeds', () => {
    const breaker = new CircuitBreaker({ failures: 2, openMilliseconds: OPEN_MILLISECONDS });
    breaker.failed();
    breaker.succeeded();
    breaker.failed();
    expect(breaker.allows()).toBe(true);
    breaker.failed();
    expect(breaker.allows()).toBe(false);
    vi.advanceTimersByTime(OPEN_MILLISECONDS - 1);
    expect(breaker.allows()).toBe(false);
    vi.advanceTimersByTime(1);
    expect([breaker.allows(), breaker.allows()]).toEqual([true, false]);
    // One that never says how it went does not keep it open for ever.
    vi.advanceTimersByTime(OPEN_MILLISECONDS);
    expect([breaker.allows(), breaker.allows()]).toEqual([true, false]);
    breaker.succeeded();
    expect([breaker.allows(), breaker.allows()]).toEqual([true, true]);
    breaker.failed();
    expect(breaker.allows()).toBe(true);
    breaker.failed();
    expect(breaker.allows()).toBe(false);
  });

  it('when the one that tries fails, says no again', () => {
    const breaker = new CircuitBreaker({ failures: 1, openMilliseconds: OPEN_MILLISECONDS });
    breaker.failed();
    vi.advanceTimersByTime(OPEN_MILLISECONDS);
    expect(breaker.allows()).toBe(true);
    // For longer than the breaker stays open, as what runs into a timeout does.
    vi.advanceTimersByTime(OPEN_MILLISECONDS);
    breaker.failed();
    expect(breaker.allows()).toBe(false);
  });
});
