import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { redisKeyFormat, spaceOf } from '../../../../../services/user-api/rate-limit/key.ts';
import type { RateLimitPolicy } from '../../../../../services/user-api/rate-limit/policy.ts';
import { connectToRedis } from './connect.ts';

/** Connects before the suite, empties Redis before each of its tests, and disconnects at its end. */
export function connectForSuite(
  server: () => { readonly url: string },
  onConnected: (redis: Redis) => void,
): void {
  let redis: Redis;
  beforeAll(async () => {
    redis = await connectToRedis(server().url);
    onConnected(redis);
  });
  beforeEach(() => redis.flushall());
  afterAll(() => redis.disconnect());
}

/** How often Redis has run a command since its statistics were reset. */
export async function callsOf(redis: Redis, command: string): Promise<number> {
  const found = new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(
    await redis.info('commandstats'),
  );
  return Number(found?.[1] ?? 0);
}

/** Whole tokens that Redis has for a key of a token bucket. */
export async function remainingInRedis(
  redis: Redis,
  policy: RateLimitPolicy,
  key: string,
): Promise<number> {
  const state = await redis.get(redisKeyFormat()(spaceOf(policy), key));
  if (state === null) return policy.limit;
  // Rounded down: a part of a token has been refilled meanwhile.
  return Math.floor(Number(state.split(' ')[0]) / (policy.windowSeconds * 1_000));
}
