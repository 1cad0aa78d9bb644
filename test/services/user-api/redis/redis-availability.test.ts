import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisAvailability } from '../../../../services/user-api/redis/redis-availability.ts';
import { eventually } from '../../../support/eventually.ts';

const CONNECTION_LOST = new Error('Connection is closed.');

function availabilityWith(probe: () => Promise<unknown>) {
  const [onTakeOver, onHandBack] = [vi.fn(), vi.fn()];
  const availability = new RedisAvailability({
    probe,
    probeIntervalMilliseconds: 5,
    onTakeOver,
    onHandBack,
  });
  onTestFinished(() => availability.close());
  return { availability, onTakeOver, onHandBack };
}

describe('RedisAvailability', () => {
  it('after a failure, tries until Redis is there, and says each once', async () => {
    let probes = 0;
    const { availability, onHandBack, onTakeOver } = availabilityWith(async () => {
      probes += 1;
      if (probes < 4) throw CONNECTION_LOST;
    });
    for (const _ of [1, 2, 3]) availability.failed(CONNECTION_LOST);
    expect(availability.available).toBe(false);
    expect(onTakeOver).toHaveBeenCalledExactlyOnceWith(CONNECTION_LOST);

    await eventually(() => expect(availability.available).toBe(true));

    expect(probes).toBe(4);
    expect(onHandBack).toHaveBeenCalledOnce();
  });

  it('stays with Redis that replies with an error', () => {
    const { availability, onTakeOver } = availabilityWith(async () => {});
    const full = new Error("OOM command not allowed when used memory > 'maxmemory'.");
    full.name = 'ReplyError';

    availability.failed(full);

    expect(availability.available).toBe(true);
    expect(onTakeOver).not.toHaveBeenCalled();
  });

  it('closed, heeds no failure', () => {
    const { availability, onTakeOver } = availabilityWith(async () => {});

    availability.close();
    availability.failed(CONNECTION_LOST);

    expect(availability.available).toBe(true);
    expect(onTakeOver).not.toHaveBeenCalled();
  });

  it.each(['fails', 'succeeds'] as const)(
    'closed during a probe that then %s, tries no more and hands nothing back',
    async (end) => {
      const probe = Promise.withResolvers<void>();
      const asked = vi.fn(() => probe.promise);
      const { availability, onHandBack } = availabilityWith(asked);
      availability.failed(CONNECTION_LOST);
      await eventually(() => expect(asked).toHaveBeenCalled());

      availability.close();
      if (end === 'succeeds') probe.resolve();
      else probe.reject(CONNECTION_LOST);
      await new Promise((resolve) => setTimeout(resolve, 30));

      expect(asked).toHaveBeenCalledOnce();
      expect(availability.available).toBe(false);
      expect(onHandBack).not.toHaveBeenCalled();
    },
  );
});
