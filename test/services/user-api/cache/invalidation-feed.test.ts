import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { Invalidation } from '../../../../services/user-api/cache/invalidation.ts';
import { InvalidationFeed } from '../../../../services/user-api/cache/invalidation-feed.ts';
import { createRedis, createSubscriber } from '../../../../services/user-api/cache/redis.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const logger = createLogger({ LOG_LEVEL: 'silent', STAGE: 'test' });
const CHANNEL = 'test:writes';

describeWithRedis('InvalidationFeed', (server) => {
  let way: TcpProxy;

  beforeEach(async () => {
    way = await startTcpProxy(server().url);
  });
  afterEach(async () => {
    await way.close();
  });

  /** A feed whose words go by the proxy, and what it has said. Commands take the direct way. */
  async function startFeed(heartbeatMilliseconds = 60_000) {
    const settings = {
      username: undefined,
      password: undefined,
      commandTimeoutMilliseconds: 5_000,
    };
    const publisher = createRedis({ ...settings, url: server().url }, logger);
    const said: ('open' | 'lost' | Invalidation)[] = [];
    const feed = new InvalidationFeed({
      subscriber: createSubscriber({ ...settings, url: way.through(server().url) }),
      publisher,
      channel: CHANNEL,
      onOpen: () => said.push('open'),
      onInvalidation: (invalidation) => said.push(invalidation),
      onLost: () => said.push('lost'),
      logger,
      heartbeatMilliseconds,
    });
    onTestFinished(() => {
      feed.close();
      publisher.disconnect();
    });
    feed.start();
    const untilSaid = (...expected: typeof said) =>
      eventually(() => expect(said).toEqual(expected));
    await eventually(() => expect(publisher.status).toBe('ready'));
    await untilSaid('open');
    return { publisher, said, untilSaid };
  }

  it('open, brings the words of writes in order, and leaves out what is none', async () => {
    const { publisher, untilSaid } = await startFeed();
    for (const word of ['1 2', 'nonsense', '9007199254740991 3']) {
      await publisher.publish(CHANNEL, word);
    }
    await untilSaid('open', { id: 1, version: 2 }, { id: Number.MAX_SAFE_INTEGER, version: 3 });
  });

  it('with its connection cut, says so before any other word can come, and is open again by itself', async () => {
    const { publisher, untilSaid } = await startFeed();
    await way.refuse();
    await untilSaid('open', 'lost');
    await publisher.publish(CHANNEL, '1 2');
    await way.restore();
    await untilSaid('open', 'lost', 'open');
    await publisher.publish(CHANNEL, '1 3');
    await untilSaid('open', 'lost', 'open', { id: 1, version: 3 });
  });

  it('with a connection that is dead without a word, notices by what it says to itself', async () => {
    const { untilSaid } = await startFeed(50);
    way.silence();
    await untilSaid('open', 'lost');
    await way.restore();
    await untilSaid('open', 'lost', 'open');
  });

  it('while Redis takes no commands but words come, stays open', async () => {
    const { publisher, said } = await startFeed(50);
    publisher.disconnect();
    await wait(500);
    expect(said).toEqual(['open']);
  });
});
