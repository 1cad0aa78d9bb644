import { databaseConnectionOptions } from '../contracts/database/connection-options.ts';
import type { Tracer } from '../contracts/tracing/span.ts';
import { createRedis } from './cache/redis.ts';
import { DatabasePool } from './database/pool.ts';
import { DatabaseRouter, type RouterOptions } from './database/router.ts';
import { HealthMonitor } from './health/health.ts';
import type { Logger } from './observability/logger.ts';
import type { DependencySources } from './observability/metrics/sources.ts';
import { EventDispatcher, type EventDispatcherOptions } from './queue/event-dispatcher.ts';
import { createEventSender } from './queue/event-sender.ts';
import { Outbox } from './queue/outbox.ts';
import { OutboxDepth } from './queue/outbox-depth.ts';
import type { Settings } from './settings.ts';
import { UserRepository } from './users/repository.ts';
import { createUserCaching, type UserCaching } from './users/user-caching.ts';
import { Users } from './users/users.ts';

/** Pauses that production leaves at their defaults and tests shorten. */
export interface DependencyOptions {
  readonly router?: RouterOptions;
  readonly dispatcher?: EventDispatcherOptions;
  /** Records the sending of events. @default nothing is recorded */
  readonly tracer?: Tracer | null;
}

export interface Dependencies {
  readonly users: Users;
  readonly userCaching: UserCaching;
  readonly health: HealthMonitor;
  /** What metrics are read from. */
  readonly sources: DependencySources;
  /** Begins what the service does by itself, beside answering requests. */
  start(): void;
  /** Ends everything in order: what is left to send is sent, and connections are closed last. */
  close(): Promise<void>;
}

function createRouter(settings: Settings, logger: Logger, options?: RouterOptions): DatabaseRouter {
  const createPool = (name: string, url: string) =>
    new DatabasePool({
      name,
      url,
      connection: databaseConnectionOptions(url, settings),
      size: settings.DATABASE_POOL_SIZE,
      statementTimeoutMilliseconds: settings.DATABASE_STATEMENT_TIMEOUT_MILLISECONDS,
      logger,
    });
  const readers = settings.DATABASE_READER_URLS.map((url, index) =>
    createPool(`reader-${index + 1}`, url),
  );
  return new DatabaseRouter(
    { writer: createPool('writer', settings.DATABASE_URL), readers },
    logger,
    options,
  );
}

/**
 * Builds everything that the service talks to. Connections are opened when they are first needed, so that it starts whatever is down.
 *
 * @throws `EnvironmentError` when variables don't go together.
 */
export function createDependencies(
  settings: Settings,
  logger: Logger,
  options: DependencyOptions = {},
): Dependencies {
  const router = createRouter(settings, logger, options.router);
  const redis =
    settings.REDIS_URL === undefined
      ? null
      : createRedis(
          {
            url: settings.REDIS_URL,
            username: settings.REDIS_USERNAME,
            password: settings.REDIS_PASSWORD,
            commandTimeoutMilliseconds: settings.REDIS_COMMAND_TIMEOUT_MILLISECONDS,
          },
          logger,
        );
  const sender = createEventSender({
    queueUrl: settings.EMAIL_QUEUE_URL,
    region: settings.AWS_REGION,
    endpoint: settings.SQS_ENDPOINT,
    tracer: options.tracer ?? null,
  });
  const dispatcher = new EventDispatcher(
    new Outbox(router, logger),
    sender,
    logger,
    options.dispatcher,
  );
  const repository = new UserRepository(router);
  const userCaching = createUserCaching({
    repository,
    readersMayLag: router.hasReaders,
    redis: redis && {
      commands: redis,
      // A connection that listens can do nothing else. It subscribes when told to, so that nothing is missed unnoticed.
      subscriber: redis.duplicate({
        connectionName: 'headroom-user-api-writes',
        autoResubscribe: false,
      }),
    },
    nearCacheBytes: settings.NEAR_CACHE_BYTES,
    databaseReadsMaximum: settings.DATABASE_READS_MAXIMUM,
    logger,
  });
  const users = new Users({
    repository,
    caching: userCaching,
    dispatch: (event) => dispatcher.dispatch(event),
  });
  const health = new HealthMonitor({
    database: () => router.check(),
    redis: async () => {
      const isUp = await userCaching.isRedisUp();
      return isUp === null ? 'absent' : isUp ? 'up' : 'down';
    },
    queue: () => (dispatcher.isUp ? 'up' : 'down'),
  });
  return {
    users,
    userCaching,
    health,
    sources: {
      pools: router.pools,
      redis,
      caches: userCaching,
      dispatcher,
      outboxDepth: new OutboxDepth(router),
      rateLimits: null,
    },
    start() {
      userCaching.start();
      dispatcher.start();
    },
    async close() {
      await dispatcher.close();
      userCaching.close();
      redis?.disconnect();
      await router.close();
    },
  };
}
