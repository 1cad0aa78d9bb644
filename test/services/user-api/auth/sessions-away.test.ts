import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished, vi } from 'vitest';
import { AccessError } from '../../../../services/user-api/auth/errors.ts';
import { SessionStore } from '../../../../services/user-api/auth/sessions/session-store.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';

describeWithRedis('SessionStore while Redis is away', (server) => {
  it('does not rotate a token later whose refresh it refused while Redis was frozen', async () => {
    const redis = new Redis(server().url, {
      commandTimeout: 500,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    });
    redis.on('error', () => {});
    onTestFinished(() => redis.disconnect());
    const store = new SessionStore(redis, { reuseGraceSeconds: 0, runWithinMilliseconds: 600 });
    const { token } = await store.open(2, 0);
    // The clocks are compared by then.
    await redis.ping();
    const [, id] = /process_id:(\d+)/.exec(await redis.info('server')) ?? [];
    process.kill(Number(id), 'SIGSTOP');
    try {
      await expect(store.rotate(token, 0)).rejects.toMatchObject({ slug: 'sessions-unavailable' });
      await wait(200);
    } finally {
      process.kill(Number(id), 'SIGCONT');
    }
    await eventually(() => redis.ping());
    expect(await store.rotate(token, 0)).toMatchObject({ token: {} });
  });

  it('goes on when the clock of Redis has been set', async () => {
    const redis = new Redis(server().url);
    onTestFinished(() => redis.disconnect());
    const store = new SessionStore(redis);
    await store.open(3, 0);
    // The clocks are compared by then: a script that Redis does not know yet takes two round trips.
    await redis.ping();
    await redis.ping();
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
    await expect(store.open(3, 0)).rejects.toMatchObject({ slug: 'sessions-unavailable' });
    expect(await store.open(3, 0)).toMatchObject({ token: { userId: 3 } });
  });

  it('says so where there is no Redis at all', async () => {
    const store = new SessionStore(null);

    await expect(store.open(1, 0)).rejects.toMatchObject({ slug: 'sessions-unavailable' });
  });

  it('says so with a time to wait', async () => {
    const redis = new Redis(server().url, {
      enableOfflineQueue: false,
      commandTimeout: 200,
      maxRetriesPerRequest: 0,
      lazyConnect: true,
    });
    redis.on('error', () => {});
    await redis.connect();
    const store = new SessionStore(redis);
    const { token } = await store.open(1, 0);
    await server().stop();

    for (const attempt of [
      store.open(1, 0),
      store.rotate(token, 0),
      store.close(token),
      store.closeAll(1),
    ]) {
      const failure = await attempt.catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(AccessError);
      expect(failure).toMatchObject({
        slug: 'sessions-unavailable',
        headers: { 'retry-after': '1' },
      });
    }
    redis.disconnect();
  });
});
