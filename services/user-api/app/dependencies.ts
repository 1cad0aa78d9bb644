import { databaseConnectionOptions } from '../../contracts/database/connection-options.ts';
import type { Tracer } from '../../contracts/tracing/span.ts';
import {
  type Authentication,
  type AuthenticationOptions,
  createAuthentication,
} from '../auth/authentication.ts';
import {
  createRequestAddressFinder,
  type RequestAddressFinder,
} from '../client-address/client-address.ts';
import { DatabasePool } from '../database/pool.ts';
import { DatabaseRouter, type RouterOptions } from '../database/router.ts';
import { HealthMonitor } from '../health/health.ts';
import { CursorSigner } from '../http/cursor.ts';
import type { Logger } from '../observability/logger.ts';
import type { DependencySources } from '../observability/metrics/sources.ts';
import { EventDispatcher, type EventDispatcherOptions } from '../queue/event-dispatcher.ts';
import { createEventSender } from '../queue/event-sender.ts';
import { Outbox } from '../queue/outbox.ts';
import { createRateLimits, type RateLimits } from '../rate-limit/rate-limits.ts';
import {
  createRedis,
  createRedisCluster,
  createSubscriber,
  type RedisClient,
  type RedisSettings,
} from '../redis/redis.ts';
import { deriveKey } from '../secrets/derived-key.ts';
import type { Settings } from '../settings/settings.ts';
import { IdempotencyStore } from '../users/idempotency-store.ts';
import { PersonalDataExporter } from '../users/personal-data.ts';
import { UserRepository } from '../users/repository.ts';
import { createUserCaching, type UserCaching } from '../users/user-caching.ts';
import { Users } from '../users/users.ts';
import { Admission } from './admission.ts';

/** Pauses that production leaves at their defaults and tests shorten. */
export interface DependencyOptions {
  readonly router?: RouterOptions;
  readonly dispatcher?: EventDispatcherOptions;
  readonly authentication?: AuthenticationOptions;
  /** Records the sending of events. @default nothing is recorded */
  readonly tracer?: Tracer | null;
}

export interface Dependencies {
  readonly users: Users;
  readonly personalData: PersonalDataExporter;
  readonly userCaching: UserCaching;
  readonly health: HealthMonitor;
  readonly authentication: Authentication;
  readonly admission: Admission;
  /** Where a request comes from. */
  readonly addressOf: RequestAddressFinder;
  readonly cursors: CursorSigner;
  /** What metrics are read from. */
  readonly sources: DependencySources;
  /** Begins what the service does by itself, beside answering requests. Await it before the first request is taken. */
  start(): Promise<void>;
  /** Ends everything in order: what is left to send is sent, and connections are closed last. */
  close(): Promise<void>;
}

function createRouter(settings: Settings, logger: Logger, options?: RouterOptions): DatabaseRouter {
  const createPool = (name: string, url: string) =>
    new DatabasePool({
      name,
      url,
      connection: databaseConnectionOptions(url, settings, (error) =>
        logger.error({ pool: name, error }, 'No database password'),
      ),
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

function redisSettings(url: string, settings: Settings): RedisSettings {
  return {
    url,
    username: settings.REDIS_USERNAME,
    password: settings.REDIS_PASSWORD,
    commandTimeoutMilliseconds: settings.REDIS_COMMAND_TIMEOUT_MILLISECONDS,
  };
}

/** The connections to the cache's Redis. */
function connectCache(url: string, settings: Settings, logger: Logger) {
  const connection = redisSettings(url, settings);
  return {
    commands:
      settings.REDIS_MODE === 'cluster'
        ? createRedisCluster(connection, logger)
        : createRedis(connection, logger),
    // A connection that listens can do nothing else.
    subscriber: createSubscriber(connection),
  };
}

function limitRates(settings: Settings, redis: RedisClient | null, logger: Logger): RateLimits {
  return createRateLimits({
    redis,
    overrides: settings.RATE_LIMITS,
    expectedProcesses: settings.RATE_LIMIT_EXPECTED_PROCESSES,
    keySecret:
      settings.RATE_LIMIT_KEY_SECRET ??
      deriveKey(settings.SERVICE_SECRET, 'rate-limit').toString('base64url'),
    onRedisDown: (error) =>
      logger.warn({ error }, 'Redis is unavailable: this process limits rates alone'),
    onRedisUp: () => logger.info('Rate limits are shared through Redis again'),
  });
}

function limitersByPolicy({ limiters, unknownApiKeys, usersAtAddress }: RateLimits) {
  const all = [...Object.values(limiters), ...Object.values(usersAtAddress), unknownApiKeys];
  return Object.fromEntries(all.map((limiter) => [limiter.policy.name, limiter]));
}

/**
 * Builds everything that the service talks to. Connections are opened when they are first needed, so that it starts whatever is down.
 *
 * @throws `EnvironmentError` when variables don't go together; `UnusableSigningKeys`, `PolicyError` for what is in one.
 */
export async function createDependencies(
  settings: Settings,
  logger: Logger,
  options: DependencyOptions = {},
): Promise<Dependencies> {
  const router = createRouter(settings, logger, options.router);
  const { REDIS_URL: redisUrl, SESSION_REDIS_URL: sessionRedisUrl } = settings;
  const cache = redisUrl === undefined ? null : connectCache(redisUrl, settings, logger);
  const redis = cache?.commands ?? null;
  const sessionRedis =
    sessionRedisUrl === undefined
      ? null
      : createRedis(redisSettings(sessionRedisUrl, settings), logger);
  const sender = createEventSender({
    queueUrl: settings.EMAIL_QUEUE_URL,
    region: settings.AWS_REGION,
    endpoint: settings.SQS_ENDPOINT,
    tracer: options.tracer ?? null,
  });
  const outbox = new Outbox(router, logger);
  const dispatcher = new EventDispatcher(outbox, sender, logger, options.dispatcher);
  const repository = new UserRepository(router);
  const userCaching = createUserCaching({
    repository,
    readersMayLag: router.hasReaders,
    redis: cache,
    nearCacheBytes: settings.NEAR_CACHE_BYTES,
    databaseReadsMaximum: settings.DATABASE_READS_MAXIMUM,
    logger,
  });
  const rateLimits = limitRates(settings, redis, logger);
  const authentication = await createAuthentication(
    {
      settings,
      router,
      redis,
      sessionRedis,
      throttle: rateLimits.loginBackoff,
      unknownApiKeys: rateLimits.unknownApiKeys,
      dispatch: dispatcher.dispatch,
      findUser: (userId) => repository.find(userId, 'writer'),
      logger,
    },
    options.authentication,
  );
  const idempotencyStore = new IdempotencyStore(
    router,
    deriveKey(settings.SERVICE_SECRET, 'idempotency'),
  );
  const users = new Users({
    repository,
    caching: userCaching,
    idempotencyStore,
    passwords: authentication.passwords,
    sessionRevoker: authentication.sessionRevoker,
    dispatch: dispatcher.dispatch,
  });
  const admission = new Admission({
    authenticator: authentication.authenticator,
    limits: rateLimits,
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
    personalData: new PersonalDataExporter(router, authentication.sessions),
    userCaching,
    health,
    authentication,
    admission,
    addressOf: createRequestAddressFinder({
      hops: settings.TRUSTED_PROXY_HOPS,
      networks: settings.TRUSTED_PROXY_NETWORKS,
    }),
    cursors: new CursorSigner(deriveKey(settings.SERVICE_SECRET, 'cursor')),
    sources: {
      pools: router.pools,
      redis: [
        ...(redis === null ? [] : [{ name: 'cache' as const, client: redis }]),
        ...(sessionRedis === null ? [] : [{ name: 'sessions' as const, client: sessionRedis }]),
      ],
      caches: userCaching,
      dispatcher,
      outbox,
      rateLimits: {
        limiters: limitersByPolicy(rateLimits),
        get shared() {
          return rateLimits.shared;
        },
      },
      admission,
      hasher: authentication.hasher,
    },
    async start() {
      userCaching.start();
      dispatcher.start();
      await authentication.start();
    },
    async close() {
      await dispatcher.close();
      await authentication.close();
      await rateLimits.close();
      userCaching.close();
      redis?.disconnect();
      sessionRedis?.disconnect();
      await router.close();
    },
  };
}
