import { describe, expect, it } from 'vitest';
import { RateLimitExceeded } from '../../../../services/user-api/rate-limit/decision.ts';
import { defaultPolicies } from '../../../../services/user-api/rate-limit/default-policies.ts';
import { FailureLimiter } from '../../../../services/user-api/rate-limit/failure-limiter.ts';

const policy = { ...defaultPolicies['unknown-api-keys'], limit: 3, windowSeconds: 60 };

function limiterAt(clock: () => number, maximumKeys?: number) {
  const limiter = new FailureLimiter({ policy, clock, ...(maximumKeys && { maximumKeys }) });
  /** The refusal of an attempt; null where it may go on. */
  const refusalOf = (key = 'address:192.0.2.1') => {
    try {
      limiter.attempt(key);
      return null;
    } catch (error) {
      if (error instanceof RateLimitExceeded) return error;
      throw error;
    }
  };
  return { limiter, refusalOf };
}

describe('FailureLimiter', () => {
  it('after the failures of a window, refuses the key until the window ends, and no other key', () => {
    let now = 500;
    const { limiter, refusalOf } = limiterAt(() => now);
    expect([refusalOf(), refusalOf(), refusalOf()]).toEqual([null, null, null]);
    now = 20_500.9;
    const refusal = refusalOf();
    expect(refusal?.decision).toMatchObject({
      allowed: false,
      source: 'in-process',
      remaining: 0,
      resetMilliseconds: 40_000,
      retryAfterMilliseconds: 40_000,
    });
    expect(refusal?.headers).toMatchObject({
      'ratelimit-policy': '"unknown-api-keys";q=3;w=60',
      'retry-after': '40',
    });
    expect(refusalOf('address:192.0.2.2')).toBeNull();
    expect(limiter.counts['in-process']).toEqual({ allowed: 4, refused: 1 });
    now = 60_499;
    expect(refusalOf()).not.toBeNull();
    now = 60_500;
    expect([refusalOf(), refusalOf(), refusalOf()]).toEqual([null, null, null]);
    expect(refusalOf()?.decision.resetMilliseconds).toBe(60_000);
  });

  it('never holds up who succeeds, and bounds attempts in flight', () => {
    const { limiter, refusalOf } = limiterAt(() => 0);
    for (let time = 0; time < 20; time += 1) limiter.attempt('address:192.0.2.1').withdraw();
    const inFlight = [1, 2, 3].map(() => limiter.attempt('address:192.0.2.1'));
    expect(refusalOf()).not.toBeNull();
    inFlight[0]?.withdraw();
    expect(refusalOf()).toBeNull();
    expect(refusalOf()).not.toBeNull();
  });

  it('holds as many keys as it may', () => {
    const { refusalOf } = limiterAt(() => 0, 10);
    for (let time = 0; time < 4; time += 1) refusalOf();
    expect(refusalOf()).not.toBeNull();
    for (let other = 0; other < 20; other += 1) refusalOf(`address:192.0.2.${100 + other}`);
    expect(refusalOf()).toBeNull();
  });
});
