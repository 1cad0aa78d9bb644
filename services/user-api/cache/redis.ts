import type { Logger } from '../observability/logger.ts';
import { ObservedRedis } from '../observability/tracing/observed-redis.ts';

export interface RedisSettings {
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Longest wait for one command, in milliseconds. */
  readonly commandTimeoutMilliseconds: number;
}

const CONNECT_TIMEOUT_MILLISECONDS = 1_000;
/** How long a connection may leave commands without any answer before it is taken for lost, and opened anew. */
const SILENCE_TIMEOUT_MILLISECONDS = 1_000;
const FIRST_RECONNECT_MILLISECONDS = 50;
const LONGEST_RECONNECT_MILLISECONDS = 1_000;

/**
 * A connection to Redis that fails fast: a command is refused at once while there is no connection, and given up after the command
 * timeout. It is tried again for ever in the background; a change of its state is logged, not each failure.
 */
export function createRedis(settings: RedisSettings, logger: Logger): ObservedRedis {
  const redis = new ObservedRedis(settings.url, {
    ...(settings.username === undefined ? {} : { username: settings.username }),
    ...(settings.password === undefined ? {} : { password: settings.password }),
    connectionName: 'headroom-user-api',
    connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
    commandTimeout: settings.commandTimeoutMilliseconds,
    socketTimeout: Math.max(SILENCE_TIMEOUT_MILLISECONDS, 2 * settings.commandTimeoutMilliseconds),
    enableOfflineQueue: false,
    // A command that a lost connection left unanswered is not sent again: its caller has gone on without it.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) =>
      Math.min(
        FIRST_RECONNECT_MILLISECONDS * 2 ** Math.min(attempt, 10),
        LONGEST_RECONNECT_MILLISECONDS,
      ),
    // After a failover the node that we are connected to may have become a replica.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  let ready: boolean | undefined;
  redis.on('ready', () => {
    if (ready === false) logger.info('Redis is back');
    ready = true;
  });
  redis.on('error', (error: unknown) => {
    if (ready !== false) logger.warn({ error }, 'Redis is not available');
    ready = false;
  });
  redis.on('close', () => {
    if (ready === true) logger.warn('The connection to Redis was lost');
    ready = false;
  });
  return redis;
}
