import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RevocationFeed } from '../../../../services/user-api/auth/revocations/revocation-feed.ts';
import {
  type Revocation,
  Revocations,
} from '../../../../services/user-api/auth/revocations/revocations.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { describeWithRedis } from '../../../support/redis.ts';

/** What the database has, and for which seconds it was asked. */
class Log {
  readonly asked: number[] = [];
  revoked: Revocation[] = [];
  isUp = true;

  async newest(seconds: number): Promise<Revocation[]> {
    this.asked.push(seconds);
    if (!this.isUp) throw new Error('down');
    return this.revoked;
  }
}

function recordingLogger() {
  const lines: { level: string; message: string }[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  return { lines, logger: createLogger({ LOG_LEVEL: 'info', STAGE: 'test' }, { write }) };
}

describe('Revocations', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('are remembered for as long as they matter, counted from the last time they came', () => {
    const revocations = new Revocations(10);
    const add = () => {
      revocations.add({ kind: 'user', userId: 1, generation: 5 });
      revocations.add({ kind: 'session', sessionId: 'a' });
      revocations.add({ kind: 'api-key', apiKeyId: 7 });
    };
    add();
    revocations.add({ kind: 'user', userId: 2, generation: 1 });
    revocations.add({ kind: 'session', sessionId: 'b' });
    revocations.add({ kind: 'api-key', apiKeyId: 8 });
    expect(revocations.size).toBe(6);
    vi.advanceTimersByTime(9_999);
    add();
    revocations.forgetOld();
    expect(revocations.size).toBe(6);

    vi.advanceTimersByTime(1);
    revocations.forgetOld();
    expect(revocations.size).toBe(3);
    expect(revocations.isSessionRevoked('a')).toBe(true);
    expect(revocations.isSessionRevoked('b')).toBe(false);
    expect(revocations.isApiKeyRevoked(7)).toBe(true);
    expect(revocations.isApiKeyRevoked(8)).toBe(false);
    expect(revocations.minimumGeneration(1)).toBe(5);
    expect(revocations.minimumGeneration(2)).toBe(0);

    vi.advanceTimersByTime(9_999);
    revocations.forgetOld();
    expect(revocations.size).toBe(0);
  });

  it('never lower the generation of a user', () => {
    const revocations = new Revocations(10);
    revocations.add({ kind: 'user', userId: 1, generation: 5 });
    revocations.add({ kind: 'user', userId: 1, generation: 3 });

    expect(revocations.minimumGeneration(1)).toBe(5);
  });
});

describe('RevocationFeed', () => {
  let log: Log;
  beforeEach(() => {
    log = new Log();
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
    vi.spyOn(Math, 'random').mockReturnValue(0);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('reads all that can matter at first, then what is new, with an overlap, every two seconds at most', async () => {
    const { logger } = recordingLogger();
    const feed = new RevocationFeed({ log, redis: null, logger });
    log.revoked = [{ kind: 'session', sessionId: 'a' }];
    await feed.start();
    expect(feed.revocations.isSessionRevoked('a')).toBe(true);
    expect(log.asked).toEqual([670]);

    await vi.advanceTimersByTimeAsync(999);
    expect(log.asked).toEqual([670]);
    log.revoked = [{ kind: 'session', sessionId: 'b' }];
    await vi.advanceTimersByTimeAsync(1);
    expect(log.asked).toEqual([670, 16]);
    expect(feed.revocations.isSessionRevoked('b')).toBe(true);

    vi.mocked(Math.random).mockReturnValue(0.999_999);
    await vi.advanceTimersByTimeAsync(1_000);
    log.asked.length = 0;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(log.asked.map(Math.round)).toEqual([17]);
    feed.close();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(log.asked).toHaveLength(1);
  });

  it('reads what it missed when the database is back, and forgets what no longer matters', async () => {
    const { lines, logger } = recordingLogger();
    const feed = new RevocationFeed({ log, redis: null, logger, pollIntervalSeconds: 20 });
    await feed.start();
    feed.publish({ kind: 'session', sessionId: 'a' });
    log.isUp = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(log.asked).toEqual([670, 25, 35, 45]);
    await vi.advanceTimersByTimeAsync(700_000);
    expect(log.asked.at(-1)).toBe(670);
    expect(feed.revocations.size).toBe(0);
    expect(lines).toEqual([
      expect.objectContaining({ level: 'warn', message: 'Revocations cannot be read' }),
    ]);

    log.isUp = true;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(log.asked.at(-1)).toBe(25);
    expect(lines.slice(1)).toEqual([
      expect.objectContaining({ level: 'info', message: 'Revocations can be read again' }),
    ]);
    feed.close();
  });

  it('says which error it was', async () => {
    const { lines, logger } = recordingLogger();
    log.isUp = false;
    const feed = new RevocationFeed({ log, redis: null, logger });
    await feed.start();
    feed.close();

    expect(lines[0]).toMatchObject({ error: { message: 'down' } });
  });

  it('does not go on when it is closed while it reads', async () => {
    const { logger } = recordingLogger();
    const feed = new RevocationFeed({ log, redis: null, logger });
    const started = feed.start();
    feed.close();
    await started;

    await vi.advanceTimersByTimeAsync(10_000);
    expect(log.asked).toEqual([670]);
  });
});

describeWithRedis('RevocationFeed over Redis', (redis) => {
  it('takes what others publish, passes over what it cannot read, and reads the log again after it was cut off', async () => {
    const { lines, logger } = recordingLogger();
    const log = new Log();
    const client = new Redis(redis().url);
    const feed = new RevocationFeed({ log, redis: client, logger, pollIntervalSeconds: 3_600 });
    onTestFinished(() => {
      feed.close();
      client.disconnect();
    });
    await feed.start();
    // At the start, and when it is subscribed: what was published before that is in the log.
    await expect.poll(() => log.asked.length).toBe(2);

    for (const text of ['no JSON', '{"kind":"user","userId":0,"generation":1}']) {
      await client.publish('revocations', text);
    }
    await client.publish('revocations', '{"kind":"session","sessionId":"a"}');
    await expect.poll(() => feed.revocations.isSessionRevoked('a')).toBe(true);
    const unreadable = {
      message: 'A revocation could not be read',
      error: { message: expect.any(String) },
    };
    expect(lines).toMatchObject([unreadable, unreadable]);

    await client.client('KILL', 'TYPE', 'PUBSUB');
    await expect.poll(() => log.asked.length).toBe(3);
    feed.publish({ kind: 'api-key', apiKeyId: 7 });
    expect(feed.revocations.isApiKeyRevoked(7)).toBe(true);
  });

  it('reads the log once at a time', async () => {
    const { logger } = recordingLogger();
    const log = new Log();
    const client = new Redis(redis().url);
    const feed = new RevocationFeed({ log, redis: client, logger });
    let finish: (() => void) | undefined;
    vi.spyOn(log, 'newest').mockImplementation(
      () =>
        new Promise((resolve) => {
          log.asked.push(0);
          finish = () => resolve([]);
        }),
    );
    const started = feed.start();
    onTestFinished(() => {
      feed.close();
      client.disconnect();
    });
    // It is subscribed, and still reads.
    await expect.poll(() => client.pubsub('NUMSUB', 'revocations')).toEqual(['revocations', 1]);
    await client.publish('revocations', '{"kind":"session","sessionId":"b"}');
    await expect.poll(() => feed.revocations.isSessionRevoked('b')).toBe(true);

    expect(log.asked).toHaveLength(1);
    finish?.();
    await started;
  });
});
