import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CircuitBreaker } from '../../../../services/user-api/cache/circuit-breaker.ts';

describe('CircuitBreaker', () => {
  it('after failures in a row, says no, then lets one try, and all once that one succeeds', async () => {
    const breaker = new CircuitBreaker({ failures: 2, openMilliseconds: 20 });
    breaker.failed();
    breaker.succeeded();
    breaker.failed();
    expect(breaker.allows()).toBe(true);
    breaker.failed();
    expect(breaker.allows()).toBe(false);
    await wait(25);
    expect([breaker.allows(), breaker.allows()]).toEqual([true, false]);
    breaker.succeeded();
    expect([breaker.allows(), breaker.allows()]).toEqual([true, true]);
    breaker.failed();
    expect(breaker.allows()).toBe(true);
    breaker.failed();
    expect(breaker.allows()).toBe(false);
  });

  it('when the one that tries fails, says no again', async () => {
    const breaker = new CircuitBreaker({ failures: 1, openMilliseconds: 20 });
    breaker.failed();
    await wait(25);
    expect(breaker.allows()).toBe(true);
    // For longer than the breaker stays open, as what runs into a timeout does.
    await wait(25);
    breaker.failed();
    expect(breaker.allows()).toBe(false);
  });
});
