import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { exponentialDelay } from '../../contracts/backoff.ts';
import type { Logger } from '../observability/logger.ts';
import { ObservedCluster, ObservedRedis } from './observed-redis.ts';

/** What commands go to: one server, or a cluster that spreads keys over several. */
export type RedisClient = Redis | Cluster;

export interface RedisSettings {
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Longest wait for one command, in milliseconds. */
  readonly commandTimeoutMilliseconds: number;
}

const CONNECTION_NAME = 'headroom-user-api';
const CONNECT_TIMEOUT_MILLISECONDS = 1_000;
/** How long a connection may leave commands without any response before it is taken for lost, and opened again. */
const SILENCE_TIMEOUT_MILLISECONDS = 1_000;
const FIRST_RECONNECT_MILLISECONDS = 100;
const LONGEST_RECONNECT_MILLISECONDS = 1_000;
/** A slot moves rarely; a command that is redirected twice meets nodes that disagree. */
const MAXIMUM_REDIRECTIONS = 3;
const DEFAULT_PORT = 6_379;

/**
 * A connection to Redis that fails fast: a command is refused at once while there is no connection, and given up after the command
 * timeout. It is tried again for ever in the background; a change of its state is logged, not each failure.
 */
export function createRedis(settings: RedisSettings, logger: Logger): ObservedRedis {
  const redis = new ObservedRedis(urlWithLogin(settings).href, singleOptions(settings));
  logState(redis, logger);
  return redis;
}

/**
 * The same for a Redis Cluster, of which `settings.url` is any node, or a name that stands for all. Reads go to masters only: a replica may not
 * have yet what its master has taken in, and versions in Redis are minimum versions for readers. A command for a node that is
 * away fails at once, and all others go on.
 */
export function createRedisCluster(settings: RedisSettings, logger: Logger): ObservedCluster {
  const url = urlWithLogin(settings);
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const cluster = new ObservedCluster(
    [{ host: url.hostname, port: Number(url.port || DEFAULT_PORT) }],
    {
      // Names stay names, as the certificates of the nodes are for those.
      dnsLookup: (address, callback) => callback(null, address),
      enableOfflineQueue: false,
      scaleReads: 'master',
      maxRedirections: MAXIMUM_REDIRECTIONS,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      clusterRetryStrategy: reconnectDelay,
      redisOptions: {
        ...connectionOptions(settings),
        ...(username === '' ? {} : { username }),
        ...(password === '' ? {} : { password }),
        ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
      },
    },
    settings.commandTimeoutMilliseconds,
  );
  logState(cluster, logger);
  return cluster;
}

/**
 * A connection that is for listening, and subscribes only on request, so that no message is missed unnoticed. In a cluster it goes
 * to one node, which passes on what is published on any. (The cluster client's own subscriber changes to another node in silence.)
 */
export function createSubscriber(settings: RedisSettings): Redis {
  return new Redis(urlWithLogin(settings).href, {
    ...singleOptions(settings),
    connectionName: `${CONNECTION_NAME}-writes`,
    autoResubscribe: false,
  });
}

/**
 * Calls `listener` whenever a server may have lost what it had: after a connection was lost and is back. In a cluster that is a connection
 * to any node, and a node that is gone, in whose place there will be another.
 */
export function onServerChange(client: RedisClient, listener: () => void): void {
  client.on('ready', listener);
  client.on('+node', listener);
  client.on('-node', listener);
}

/** Another client of the same server or cluster; the two kinds have a method for it each, with other parameters. */
export function duplicate(client: RedisClient): RedisClient {
  return client instanceof Cluster ? client.duplicate() : client.duplicate();
}

/** The URL with the login of the settings in place of its own, which ioredis would prefer to one in its options. */
function urlWithLogin({ password, url, username }: RedisSettings): URL {
  const login = new URL(url);
  if (username !== undefined) login.username = encodeURIComponent(username);
  if (password !== undefined) login.password = encodeURIComponent(password);
  return login;
}

function connectionOptions({ commandTimeoutMilliseconds }: RedisSettings) {
  return {
    connectionName: CONNECTION_NAME,
    connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
    commandTimeout: commandTimeoutMilliseconds,
    socketTimeout: Math.max(SILENCE_TIMEOUT_MILLISECONDS, 2 * commandTimeoutMilliseconds),
    // A command without a reply when its connection was lost is not sent again: its caller has gone on without it.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  } satisfies RedisOptions;
}

function singleOptions(settings: RedisSettings) {
  return {
    ...connectionOptions(settings),
    enableOfflineQueue: false,
    retryStrategy: reconnectDelay,
    // After a failover the node that we are connected to may have become a replica.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies RedisOptions;
}

function reconnectDelay(attempt: number): number {
  return exponentialDelay(attempt, FIRST_RECONNECT_MILLISECONDS, LONGEST_RECONNECT_MILLISECONDS);
}

function logState(client: RedisClient, logger: Logger): void {
  let ready: boolean | undefined;
  client.on('ready', () => {
    if (ready === false) logger.info('Redis is back');
    ready = true;
  });
  client.on('error', (error: unknown) => {
    if (ready !== false) logger.warn({ error }, 'Redis is not available');
    ready = false;
  });
  client.on('close', () => {
    if (ready === true) logger.warn('The connection to Redis was lost');
    ready = false;
  });
}
