import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import {
  createRedis,
  createRedisCluster,
  createSubscriber,
  duplicate,
  onServerChange,
  type RedisSettings,
} from '../../../../services/user-api/redis/redis.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

/** Nobody listens there. */
const NOWHERE = 'redis://127.0.0.1:1';
const TIMEOUT_MILLISECONDS = 5_000;
const silent = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });

function settingsOf(url: string, login: Partial<RedisSettings> = {}): RedisSettings {
  const { password, username, commandTimeoutMilliseconds = 100 } = login;
  return { url, username, password, commandTimeoutMilliseconds };
}

describe('a connection to one Redis', { timeout: TIMEOUT_MILLISECONDS }, () => {
  const create = (login: Partial<RedisSettings> = {}, url = NOWHERE) => {
    const redis = createRedis(settingsOf(url, login), silent);
    onTestFinished(() => redis.disconnect());
    return redis;
  };

  it('refuses commands at once while there is none, and sends none again', async () => {
    const redis = create();
    await expect(redis.get('a')).rejects.toThrow('enableOfflineQueue options is false');
    expect(redis.options).toMatchObject({
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: 1_000,
    });
  });

  it('gives a command so long as is set, and a connection that is silent a second, or twice as long', () => {
    expect(create().options).toMatchObject({ commandTimeout: 100, socketTimeout: 1_000 });
    expect(create({ commandTimeoutMilliseconds: 600 }).options).toMatchObject({
      commandTimeout: 600,
      socketTimeout: 1_200,
    });
  });

  it('is tried again for ever, after 100 ms, and pauses that double up to a second', () => {
    const { retryStrategy } = create().options;
    const pauses = [1, 2, 3, 4, 5, 1_000_000].map((attempt) => retryStrategy?.(attempt));
    expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('is opened again when the node has become a replica, and for no other error', () => {
    const { reconnectOnError } = create().options;
    expect(reconnectOnError?.(new Error("READONLY You can't write"))).toBe(true);
    expect(reconnectOnError?.(new Error('OOM, not READONLY'))).toBe(false);
  });

  it('logs in as the settings say, and else as the URL does', () => {
    const url = 'redis://some%20body:secret@127.0.0.1:1';
    expect(create({}, url).options).toMatchObject({ username: 'some body', password: 'secret' });
    const login = { username: 'other', password: 'it%40s/ own:@' };
    expect(create(login, url).options).toMatchObject(login);
    expect(create(login).options).toMatchObject(login);
    const { password } = login;
    expect(create({ password }, 'redis://somebody@127.0.0.1:1').options).toMatchObject({
      username: 'somebody',
      password,
    });
    expect(create().options).toMatchObject({ username: null, password: null });
  });

  it('that is for listening has a name of its own, and does not subscribe by itself', () => {
    const subscriber = createSubscriber(settingsOf(NOWHERE));
    onTestFinished(() => subscriber.disconnect());
    expect(subscriber.options).toMatchObject({
      autoResubscribe: false,
      connectionName: 'headroom-user-api-writes',
      enableOfflineQueue: false,
    });
    expect(create().options.connectionName).toBe('headroom-user-api');
  });
});

describe('a connection to a Redis Cluster', { timeout: TIMEOUT_MILLISECONDS }, () => {
  const create = (url: string, login: Partial<RedisSettings> = {}) => {
    const cluster = createRedisCluster(settingsOf(url, login), silent);
    onTestFinished(() => cluster.disconnect());
    return cluster;
  };

  it('asks masters alone, and gives up at once what a node that is away was asked', async () => {
    const { options } = create(NOWHERE);
    expect(options).toMatchObject({
      scaleReads: 'master',
      enableOfflineQueue: false,
      maxRedirections: 3,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
    });
    expect(options.clusterRetryStrategy?.(1)).toBe(100);
    const looked = vi.fn();
    options.dnsLookup?.('node-1.example.com', looked);
    expect(looked).toHaveBeenCalledWith(null, 'node-1.example.com');
  });

  it('takes login and TLS from the URL, and a login of the settings in its place', () => {
    const of = (...parameters: Parameters<typeof create>) =>
      create(...parameters).options.redisOptions;
    expect(of(NOWHERE)).not.toHaveProperty('tls');
    expect(of(NOWHERE)).not.toHaveProperty('username');
    expect(of(NOWHERE)).not.toHaveProperty('password');
    const url = 'rediss://some%20body:se%2Fcret@127.0.0.1:1';
    const expected = { username: 'some body', password: 'se/cret', tls: {}, commandTimeout: 100 };
    expect(of(url)).toMatchObject(expected);
    const login = { username: 'other', password: 'its own' };
    expect(of(url, login)).toMatchObject({ ...login, tls: {} });
  });

  it('begins with the node of the URL, at the default port if it names none', () => {
    const nodesOf = (url: string) => Reflect.get(create(url), 'startupNodes');
    expect(nodesOf('redis://127.0.0.1:7001')).toEqual([{ host: '127.0.0.1', port: 7_001 }]);
    expect(nodesOf('redis://localhost')).toEqual([{ host: 'localhost', port: 6_379 }]);
  });

  it('is duplicated as what it is', () => {
    const cluster = create(NOWHERE);
    const copy = duplicate(cluster);
    onTestFinished(() => copy.disconnect());
    expect(copy).not.toBe(cluster);
    expect(copy.isCluster).toBe(true);
  });
});

describeWithRedis('a connection that is lost', (server) => {
  let way: TcpProxy;

  beforeEach(async () => {
    way = await startTcpProxy(server().url);
  });
  afterEach(async () => {
    await way.close();
  });

  const start = () => {
    const lines: string[] = [];
    const logger = createLogger(
      { LOG_LEVEL: 'info', STAGE: 'test' },
      { write: (line) => void lines.push(JSON.parse(line).message) },
    );
    const settings = settingsOf(way.through(server().url), { commandTimeoutMilliseconds: 5_000 });
    const redis = createRedis(settings, logger);
    onTestFinished(() => redis.disconnect());
    return { lines, redis };
  };

  it('is logged once, and once that it is back; a listener is called when it is', async () => {
    const { lines, redis } = start();
    const changed = vi.fn();
    onServerChange(redis, changed);
    await eventually(() => expect(redis.status).toBe('ready'));
    expect([lines, changed.mock.calls.length]).toEqual([[], 1]);
    await way.refuse();
    await eventually(() => expect(redis.status).toBe('reconnecting'));
    expect(lines).toEqual(['The connection to Redis was lost']);
    await eventually(() => expect(Reflect.get(redis, 'retryAttempts')).toBeGreaterThan(1));
    expect(changed).toHaveBeenCalledOnce();
    await way.restore();
    await eventually(() => expect(redis.status).toBe('ready'));
    expect(lines).toEqual(['The connection to Redis was lost', 'Redis is back']);
    expect(changed).toHaveBeenCalledTimes(2);
    for (const event of ['+node', '-node']) redis.emit(event);
    expect(changed).toHaveBeenCalledTimes(4);
  });

  it('that was never there is logged once, and once that it is', async () => {
    await way.refuse();
    const { lines, redis } = start();
    await eventually(() => expect(Reflect.get(redis, 'retryAttempts')).toBeGreaterThan(1));
    expect(lines).toEqual(['Redis is not available']);
    await way.restore();
    await eventually(() => expect(redis.status).toBe('ready'));
    expect(lines).toEqual(['Redis is not available', 'Redis is back']);
  });
});
