import type { Redis } from 'ioredis';
import { createLogger } from '../../../../../services/user-api/observability/logger.ts';
import { redisKeyFormat } from '../../../../../services/user-api/rate-limit/key.ts';
import type { SharedState } from '../../../../../services/user-api/rate-limit/shared-limiter.ts';
import { createRedis } from '../../../../../services/user-api/redis/redis.ts';
import { RedisHealth } from '../../../../../services/user-api/redis/redis-health.ts';

const SILENT = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });

/** The service's own client, connected. With a long timeout, so that a busy machine does not look like an outage. */
export async function connectToRedis(
  url: string,
  commandTimeoutMilliseconds = 10_000,
): Promise<Redis> {
  const redis = createRedis(
    { url, username: undefined, password: undefined, commandTimeoutMilliseconds },
    SILENT,
  );
  await new Promise((resolve) => redis.once('ready', resolve));
  return redis;
}

export function sharedStateOn(redis: Redis): SharedState {
  return {
    client: redis,
    keyFormat: redisKeyFormat(),
    health: new RedisHealth({ probe: () => redis.ping() }),
  };
}
