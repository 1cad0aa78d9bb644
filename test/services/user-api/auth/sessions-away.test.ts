import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { AccessError } from '../../../../services/user-api/auth/errors.ts';
import { SessionStore } from '../../../../services/user-api/auth/sessions/session-store.ts';
import { describeWithRedis } from '../../../support/redis.ts';

describeWithRedis('SessionStore while Redis is away', (server) => {
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

  it('says so where there is no Redis at all', async () => {
    const store = new SessionStore(null);

    await expect(store.open(1, 0)).rejects.toMatchObject({ slug: 'sessions-unavailable' });
  });
});
