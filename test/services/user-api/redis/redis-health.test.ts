import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisHealth } from '../../../../services/user-api/redis/redis-health.ts';
import { eventually } from '../../../support/eventually.ts';

const CONNECTION_LOST = new Error('Connection is closed.');

function healthWith(probe: () => Promise<unknown>, failures = 1) {
  const [onDown, onUp] = [vi.fn(), vi.fn()];
  const health = new RedisHealth({
    probe,
    failures,
    probeIntervalMilliseconds: 5,
    onDown,
    onUp,
  });
  onTestFinished(() => health.close());
  return { health, onDown, onUp };
}

describe('RedisHealth', () => {
  it('after a failure, tries until Redis is there, and says each once', async () => {
    let probes = 0;
    const { health, onUp, onDown } = healthWith(async () => {
      probes += 1;
      if (probes < 4) throw CONNECTION_LOST;
    });
    for (const _ of [1, 2, 3]) health.failed(CONNECTION_LOST);
    expect(health.isUp).toBe(false);
    expect(onDown).toHaveBeenCalledExactlyOnceWith(CONNECTION_LOST);

    await eventually(() => expect(health.isUp).toBe(true));

    expect(probes).toBe(4);
    expect(onUp).toHaveBeenCalledOnce();
  });

  it('goes down after failures in a row only, before and after it was down', async () => {
    const { health } = healthWith(async () => {}, 2);
    const full = new Error("OOM command not allowed when used memory > 'maxmemory'.");
    full.name = 'ReplyError';
    for (const _ of ['first', 'after a recovery']) {
      health.failed(CONNECTION_LOST);
      health.succeeded();
      health.failed(CONNECTION_LOST);
      health.failed(full);
      health.failed(CONNECTION_LOST);
      expect(health.isUp).toBe(true);
      health.failed(CONNECTION_LOST);
      expect(health.isUp).toBe(false);
      await eventually(() => expect(health.isUp).toBe(true));
    }
  });

  it('a late success of a command does not end the time that it is down', () => {
    const { health } = healthWith(() => Promise.reject(CONNECTION_LOST));
    health.failed(CONNECTION_LOST);
    health.succeeded();
    expect(health.isUp).toBe(false);
  });

  it('stays with Redis that replies with an error', () => {
    const { health, onDown } = healthWith(async () => {});
    const full = new Error("OOM command not allowed when used memory > 'maxmemory'.");
    full.name = 'ReplyError';

    health.failed(full);

    expect(health.isUp).toBe(true);
    expect(onDown).not.toHaveBeenCalled();
  });

  it('closed, heeds no failure', () => {
    const { health, onDown } = healthWith(async () => {});

    health.close();
    health.failed(CONNECTION_LOST);

    expect(health.isUp).toBe(true);
    expect(onDown).not.toHaveBeenCalled();
  });

  it.each(['fails', 'succeeds'] as const)(
    'closed during a probe that then %s, tries no more and does not come up',
    async (end) => {
      const probe = Promise.withResolvers<void>();
      const asked = vi.fn(() => probe.promise);
      const { health, onUp } = healthWith(asked);
      health.failed(CONNECTION_LOST);
      await eventually(() => expect(asked).toHaveBeenCalled());

      health.close();
      if (end === 'succeeds') probe.resolve();
      else probe.reject(CONNECTION_LOST);
      await new Promise((resolve) => setTimeout(resolve, 30));

      expect(asked).toHaveBeenCalledOnce();
      expect(health.isUp).toBe(false);
      expect(onUp).not.toHaveBeenCalled();
    },
  );
});
