import type { RateLimitPolicy } from '../../../../../services/user-api/rate-limit/policy.ts';

export const HOUR_SECONDS = 3_600;
/** So long that nothing is refilled during a test: 400 tokens in a day are one in 216 s. */
export const DAY_SECONDS = 86_400;

export function policy(
  algorithm: RateLimitPolicy['algorithm'],
  limit: number,
  windowSeconds: number,
): RateLimitPolicy {
  return { name: 'test', algorithm, limit, windowSeconds, keyedBy: ['user'] };
}

export const leasedPolicy = (limit: number, windowSeconds: number, leasedShare: number) =>
  ({
    name: 'test',
    algorithm: 'token-bucket',
    limit,
    windowSeconds,
    leasedShare,
    keyedBy: ['user'],
  }) as const;
