import { describe, expect, it } from 'vitest';
import {
  parseOutcome,
  parseOutcomes,
} from '../../../../services/user-api/rate-limit/algorithms/algorithm.ts';

describe('the reply of a script', () => {
  it.each([
    ['text', '1234'],
    ['nothing', null],
    ['three numbers', [1, 2, 3]],
    ['five numbers', [1, 2, 3, 4, 5]],
    ['a text among numbers', [1, 2, 3, '4']],
    ['a fraction', [1, 2, 3.5, 4]],
    ['an object of four', { length: 4, every: () => true }],
  ])('that is %s is refused, and shown', (_what, reply) => {
    expect(() => parseOutcome(reply)).toThrow(
      new TypeError(`a rate limit script replied ${JSON.stringify(reply)}; expected 4 integers`),
    );
  });

  it('gives each request of several what it would have got by itself', () => {
    const refused = { remaining: 0, resetMilliseconds: 70, retryAfterMilliseconds: 80 };
    expect(parseOutcomes([2, 0, 70, 80], 3)).toEqual([
      { ...refused, allowed: true, remaining: 1, retryAfterMilliseconds: 0 },
      { ...refused, allowed: true, remaining: 0, retryAfterMilliseconds: 0 },
      { ...refused, allowed: false },
    ]);
  });
});
