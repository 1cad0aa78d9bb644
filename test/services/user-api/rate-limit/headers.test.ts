import { describe, expect, it } from 'vitest';
import type { RateLimitDecision } from '../../../../services/user-api/rate-limit/decision.ts';
import { headersFor } from '../../../../services/user-api/rate-limit/decision.ts';
import { defaultPolicies } from '../../../../services/user-api/rate-limit/default-policies.ts';

const policy = defaultPolicies.reads;
const allowed: RateLimitDecision = {
  policy,
  source: 'lease',
  allowed: true,
  remaining: 500,
  resetMilliseconds: 29_001,
  retryAfterMilliseconds: 0,
};

describe('headersFor', () => {
  it('for an allowed request, gives the fields as the draft writes them, with seconds rounded up', () => {
    expect(headersFor(policy)(allowed)).toEqual({
      'ratelimit-policy': '"reads";q=1000;w=60',
      ratelimit: '"reads";r=500;t=30',
    });
  });

  it('for a key with its whole quota, leaves out when there is more', () => {
    const { ratelimit } = headersFor(policy)({
      ...allowed,
      remaining: 1_000,
      resetMilliseconds: 0,
    });
    expect(ratelimit).toBe('"reads";r=1000');
  });

  it.each([1, 999, 1_000, 1_001, 59_999])(
    'for a refusal with %i ms to wait, sends the client away for whole seconds, not fewer than t',
    (milliseconds) => {
      const fields = headersFor(policy)({
        ...allowed,
        allowed: false,
        remaining: 0,
        resetMilliseconds: milliseconds,
        retryAfterMilliseconds: milliseconds,
      });
      const seconds = Math.ceil(milliseconds / 1_000);
      expect(fields['retry-after']).toBe(String(seconds));
      expect(fields.ratelimit).toBe(`"reads";r=0;t=${seconds}`);
    },
  );
});
