import { setImmediate as nextTick, setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { Invalidation } from '../../../../services/user-api/cache/invalidation-feed.ts';
import {
  HEARTBEAT_GRACE_MILLISECONDS,
  InvalidationFeed,
} from '../../../../services/user-api/cache/invalidation-feed.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { createRedis, createSubscriber } from '../../../../services/user-api/redis/redis.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const silent = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });
const READY = ['ready', 'ready'];
const PASSWORD = 'a-password-of-a-test';
const LOGIN = 'without-channels';
const CHANNEL = 'test:writes';

interface FeedOptions {
  /** In milliseconds. */
  readonly heartbeat?: number;
  /** Where messages come from. */
  readonly url?: string;
  readonly username?: string;
}

describeWithRedis('InvalidationFeed', (server) => {
  let way: TcpProxy;

  beforeEach(async () => {
    way = await startTcpProxy(server().url);
  });
  afterEach(async () => {
    await way.close();
  });

  /** A feed whose messages go by the proxy, and what it has said and logged. Commands take the direct way. */
  async function startFeed({
    heartbeat = 60_000,
    url = way.through(server().url),
    username,
  }: FeedOptions = {}) {
    const settings = { password: undefined, commandTimeoutMilliseconds: 5_000 };
    const publisher = createRedis({ ...settings, username: undefined, url: server().url }, silent);
    const subscriber = createSubscriber({
      ...settings,
      ...(username === undefined ? { username } : { username, password: PASSWORD }),
      url,
    });
    const said: ('open' | 'lost' | Invalidation)[] = [];
    const logged: string[] = [];
    const logger = createLogger(
      { LOG_LEVEL: 'info', STAGE: 'test' },
      { write: (line) => void logged.push(JSON.parse(line).reason ?? JSON.parse(line).message) },
    );
    const feed = new InvalidationFeed({
      subscriber,
      publisher,
      channel: CHANNEL,
      onOpen: () => said.push('open'),
      onInvalidation: (invalidation) => said.push(invalidation),
      onLost: () => said.push('lost'),
      logger,
      heartbeatMilliseconds: heartbeat,
    });
    onTestFinished(() => {
      feed.close();
      publisher.disconnect();
    });
    await eventually(() => expect([publisher.status, subscriber.status]).toEqual(READY));
    feed.start();
    const untilSaid = (...expected: typeof said) =>
      eventually(() => expect(said).toEqual(expected));
    return { feed, logged, publisher, said, subscriber, untilSaid };
  }

  async function startOpenFeed(heartbeat?: number) {
    const started = await startFeed(heartbeat === undefined ? {} : { heartbeat });
    await started.untilSaid('open');
    return started;
  }

  it('open, brings the invalidation messages in order, and leaves out what is none', async () => {
    const { logged, publisher, untilSaid } = await startOpenFeed();
    for (const message of ['1 2', 'nonsense', '9007199254740991 3']) {
      await publisher.publish(CHANNEL, message);
    }
    await untilSaid('open', { id: 1, version: 2 }, { id: Number.MAX_SAFE_INTEGER, version: 3 });
    expect(logged).toEqual([
      'Subscribed to invalidations: the near cache is open',
      'An invalidation message could not be read',
    ]);
  });

  it('with its connection cut, says so before any other message can arrive, and is open again by itself', async () => {
    const { logged, publisher, untilSaid } = await startOpenFeed();
    await way.refuse();
    await untilSaid('open', 'lost');
    expect(logged).toContain('The connection was lost');
    await publisher.publish(CHANNEL, '1 2');
    await way.restore();
    await untilSaid('open', 'lost', 'open');
    await publisher.publish(CHANNEL, '1 3');
    await untilSaid('open', 'lost', 'open', { id: 1, version: 3 });
  });

  it('with a connection that is dead without a word, notices by what it says to itself', async () => {
    const { logged, untilSaid } = await startOpenFeed(50);
    way.silence();
    await untilSaid('open', 'lost');
    expect(logged).toContain('Redis passes nothing on');
    await way.restore();
    await untilSaid('open', 'lost', 'open');
  });

  it('while Redis takes no commands but words come, stays open', async () => {
    const { publisher, said } = await startOpenFeed(50);
    publisher.disconnect();
    await wait(2 * HEARTBEAT_GRACE_MILLISECONDS);
    expect(said).toEqual(['open']);
  });

  it('on a connection that replies but brings no messages, notices, and subscribes again on a new one', async () => {
    const { logged, publisher, subscriber, untilSaid } = await startOpenFeed(50);
    await subscriber.unsubscribe();
    await untilSaid('open', 'lost', 'open');
    expect(logged).toContain('Redis passes nothing on');
    await publisher.publish(CHANNEL, '1 2');
    await untilSaid('open', 'lost', 'open', { id: 1, version: 2 });
  });

  it('has a heartbeat of its own, which no other feed takes for its', async () => {
    const { publisher } = await startOpenFeed();
    const channels = async () => await publisher.pubsub('CHANNELS', 'heartbeat:*');
    const before = await channels();
    await startOpenFeed();
    expect((await channels()).filter((each) => !before.includes(each))).toHaveLength(1);
  });

  it('after a pause of the process longer than a heartbeat may take, reads what has arrived before it judges', async () => {
    const { publisher, said, untilSaid } = await startFeed({ heartbeat: 100, url: server().url });
    await untilSaid('open');
    const beats = vi.spyOn(publisher, 'publish');
    await vi.waitUntil(() => beats.mock.calls.length === 1, { interval: 1 });
    // The heartbeat is sent now, and comes back during the pause.
    await nextTick();
    const until = performance.now() + 2.5 * HEARTBEAT_GRACE_MILLISECONDS;
    while (performance.now() < until);
    for (let tick = 0; tick < 3; tick += 1) await nextTick();
    expect(said).toEqual(['open']);
  });

  it('whose subscription is refused says so in the log, and is open once it is not', async () => {
    const administrator = createSubscriber({
      url: server().url,
      username: undefined,
      password: undefined,
      commandTimeoutMilliseconds: 5_000,
    });
    onTestFinished(() => administrator.disconnect());
    await eventually(() => expect(administrator.status).toBe('ready'));
    const acl = (...rules: string[]) => administrator.call('ACL', 'SETUSER', LOGIN, ...rules);
    await acl('on', `>${PASSWORD}`, '+@all', 'resetchannels');
    const { logged, said, untilSaid } = await startFeed({ username: LOGIN });
    await eventually(() => expect(logged).toContain('Not subscribed to invalidations'));
    expect(said).toEqual([]);
    await acl('allchannels');
    await untilSaid('open');
  });

  it('closed, ends its connection and its heartbeat, says so to the cache, and logs nothing', async () => {
    const { feed, logged, publisher, subscriber, untilSaid } = await startOpenFeed(20);
    const beats = vi.spyOn(publisher, 'publish');
    feed.close();
    await untilSaid('open', 'lost');
    expect(subscriber.status).toBe('end');
    await wait(50);
    expect(beats).not.toHaveBeenCalled();
    expect(logged).toEqual(['Subscribed to invalidations: the near cache is open']);
  });
});
