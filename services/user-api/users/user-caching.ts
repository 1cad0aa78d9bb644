import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { userFieldNames } from '../../contracts/users.ts';
import { CoherentReader } from '../cache/coherent-reader.ts';
import { InvalidationFeed } from '../cache/invalidation-feed.ts';
import { KnownVersions, RecentWrites } from '../cache/known-versions.ts';
import { ListCache } from '../cache/list-cache.ts';
import { LoadLimit } from '../cache/loads.ts';
import { NearCache } from '../cache/near-cache.ts';
import { RedisVersionedCache } from '../cache/redis-versioned-cache.ts';
import { WritePublisher } from '../cache/write-publisher.ts';
import type { Logger } from '../observability/logger.ts';
import { CacheMetrics } from '../observability/metrics/counters.ts';
import { onServerChange, type RedisClient } from '../redis/redis.ts';
import type { UserRepository } from './repository.ts';
import { UserLoader } from './user-loader.ts';

export interface CachingConnections {
  readonly commands: RedisClient;
  /** For {@link InvalidationFeed}, as `createSubscriber` makes it. Closed together with the caching. */
  readonly subscriber: Redis;
}

export interface UserCachingParts {
  readonly repository: Pick<UserRepository, 'find'>;
  readonly readersMayLag: boolean;
  /** Null where there is no Redis: then the near cache is off too, as there are no invalidation messages. */
  readonly redis: CachingConnections | null;
  /** `NEAR_CACHE_BYTES`. */
  readonly nearCacheBytes: number;
  /** `DATABASE_READS_MAXIMUM`. */
  readonly databaseReadsMaximum: number;
  readonly logger: Logger;
  /** Milliseconds since any moment. @default performance.now */
  readonly clock?: () => number;
}

/** All caches of users. */
export interface UserCaching {
  readonly reader: CoherentReader;
  readonly writes: WritePublisher;
  readonly near: NearCache;
  readonly lists: ListCache;
  readonly limit: LoadLimit;
  readonly metrics: CacheMetrics;
  /** Null where there is no Redis. */
  isRedisUp(): Promise<boolean> | null;
  /** Subscribes to invalidation messages. */
  start(): void;
  close(): void;
}

const KEY_PREFIX = 'user:';
const CHANNEL = 'user:writes';
/** Hash of the fields of a user in caches, so that releases with other fields can run side by side. */
export const REPRESENTATION = createHash('sha256')
  .update(userFieldNames.join())
  .digest('hex')
  .slice(0, 8);
/** Share of the near cache's bytes for pages of lists. */
const LIST_SHARE = 1 / 8;

export function createUserCaching(parts: UserCachingParts): UserCaching {
  const { logger, nearCacheBytes, redis } = parts;
  const clock = parts.clock === undefined ? {} : { clock: parts.clock };
  const metrics = new CacheMetrics();
  const knownVersions = new KnownVersions(clock);
  const recentWrites = new RecentWrites();
  const listBytes = Math.floor(nearCacheBytes * LIST_SHARE);
  const near = new NearCache({
    maximumBytes: nearCacheBytes - listBytes,
    knownVersions,
    metrics,
    ...clock,
  });
  const lists = new ListCache({ maximumBytes: listBytes, metrics, ...clock });
  const limit = new LoadLimit(parts.databaseReadsMaximum, metrics);
  const shared =
    redis === null
      ? null
      : new RedisVersionedCache(redis.commands, {
          keyPrefix: KEY_PREFIX,
          representation: REPRESENTATION,
          channel: CHANNEL,
        });
  const writes = new WritePublisher({
    cache: shared,
    recentWrites,
    onWrite(id, entry) {
      near.write(id, entry);
      lists.written();
    },
  });
  const feed =
    redis === null
      ? null
      : new InvalidationFeed({
          subscriber: redis.subscriber,
          publisher: redis.commands,
          channel: CHANNEL,
          onOpen() {
            near.open();
            lists.open();
          },
          onInvalidation({ id, version }) {
            metrics.invalidationsReceived += 1;
            // Messages of this process's own writes arrive, too.
            if (knownVersions.minimumVersion(id) < version) lists.writtenElsewhere();
            near.record(id, version);
          },
          onLost() {
            metrics.subscriptionLosses += 1;
            near.close();
            lists.close();
          },
          logger,
        });
  if (redis !== null) onServerChange(redis.commands, () => writes.publishAgain());
  return {
    reader: new CoherentReader({
      near,
      shared,
      loader: new UserLoader({ ...parts, metrics }),
      knownVersions,
      recentWrites,
      limit,
      metrics,
    }),
    writes,
    near,
    lists,
    limit,
    metrics,
    isRedisUp: () => shared?.isUp() ?? null,
    start: () => feed?.start(),
    close() {
      feed?.close();
      writes.close();
      shared?.close();
    },
  };
}
