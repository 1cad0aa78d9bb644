import { describe, expect, it } from 'vitest';
import { defaultPolicies } from '../../../../services/user-api/rate-limit/default-policies.ts';
import { InProcessLimiter } from '../../../../services/user-api/rate-limit/in-process-limiter.ts';
import { createRateLimiter } from '../../../../services/user-api/rate-limit/rate-limits.ts';

const { creates, reads } = defaultPolicies;

function passing(limiter: InProcessLimiter, key: string): number {
  let passed = 0;
  while (limiter.decideNow(key).allowed) passed += 1;
  return passed;
}

describe('InProcessLimiter', () => {
  it('with the clock going on, passes the limit, refuses, and passes again', () => {
    let now = 0;
    const limiter = new InProcessLimiter({ policy: creates, clock: () => now });
    expect(passing(limiter, 'user:1')).toBe(100);
    expect(limiter.decideNow('user:1')).toMatchObject({
      allowed: false,
      source: 'in-process',
      retryAfterMilliseconds: 60_000,
    });
    now = 59_999;
    expect(limiter.decideNow('user:1').allowed).toBe(false);
    now = 60_000;
    expect(passing(limiter, 'user:1')).toBe(100);
  });

  it('with several processes expected, passes its share and shows the policy of all', () => {
    const limiter = new InProcessLimiter({ policy: reads, expectedProcesses: 8, clock: () => 0 });
    expect(passing(limiter, 'user:1')).toBe(125);
    expect(limiter.decideNow('user:1').policy).toBe(reads);
  });

  it('with ten times more keys than it keeps, holds no more, and goes on refusing a key that keeps coming', () => {
    const limiter = new InProcessLimiter({ policy: creates, maximumKeys: 1_000, clock: () => 0 });
    passing(limiter, 'user:busy');
    for (let index = 0; index < 10_000; index += 1) {
      limiter.decideNow(`user:${index}`);
      if (index % 400 === 0) expect(limiter.decideNow('user:busy').allowed).toBe(false);
      expect(limiter.size).toBeLessThanOrEqual(1_000);
    }
  });

  it('with ten times more keys than it keeps, lets a key that stayed away begin again', () => {
    const limiter = new InProcessLimiter({ policy: creates, maximumKeys: 1_000, clock: () => 0 });
    passing(limiter, 'user:away');
    for (let index = 0; index < 10_000; index += 1) limiter.decideNow(`user:${index}`);
    expect(limiter.decideNow('user:away')).toMatchObject({ allowed: true, remaining: 99 });
  });

  it('counts what it decides', () => {
    const limiter = new InProcessLimiter({ policy: creates, clock: () => 0 });
    passing(limiter, 'user:1');
    expect(limiter.counts['in-process']).toEqual({ allowed: 100, refused: 1 });
  });
});

describe('createRateLimiter', () => {
  it('without Redis, decides every policy at once in this process', () => {
    const limiter = createRateLimiter({ policy: reads });
    expect(limiter.decideNow('user:1')).toMatchObject({ allowed: true, source: 'in-process' });
    expect(limiter.decide('user:1')).not.toBeInstanceOf(Promise);
  });
});
