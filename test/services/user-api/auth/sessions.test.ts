import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import {
  createRefreshToken,
  type RefreshToken,
  refreshTokenHash,
} from '../../../../services/user-api/auth/sessions/refresh-token.ts';
import {
  type OpenSession,
  SessionStore,
} from '../../../../services/user-api/auth/sessions/session-store.ts';
import { describeWithRedis } from '../../../support/redis.ts';

const DAY_SECONDS = 24 * 60 * 60;

let lastUser = 0;
/** A user that no other test has. */
const newUserId = () => {
  lastUser += 1;
  return lastUser;
};

describeWithRedis('SessionStore', (server) => {
  let redis: Redis;
  let store: SessionStore;

  beforeAll(() => {
    redis = new Redis(server().url);
    store = new SessionStore(redis);
  });
  afterAll(() => redis?.disconnect());

  async function rotated(token: RefreshToken, on = store, generation = 0): Promise<OpenSession> {
    const rotation = await on.rotate(token, generation);
    if (typeof rotation === 'string') throw new Error(`The token was ${rotation}`);
    return rotation;
  }

  it('gives the next token for each, of the same session', async () => {
    const first = await store.open(newUserId(), 0);

    const second = await rotated(first.token);
    const third = await rotated(second.token);

    expect(new Set([first, second, third].map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(new Set([first, second, third].map(({ token }) => token.secret)).size).toBe(3);
    for (const { expiresInSeconds } of [first, third]) {
      expect(expiresInSeconds).toBe(7 * DAY_SECONDS);
    }
  });

  it('stores nothing that a token could be made of', async () => {
    const userId = newUserId();
    const first = await store.open(userId, 0);
    const second = await rotated(first.token);

    const stored = JSON.stringify(await redis.hgetall(`sessions:${userId}`));

    expect(stored).toContain(refreshTokenHash(second.token));
    for (const { token } of [first, second]) {
      expect(stored).not.toContain(token.secret);
      expect(stored).not.toContain(token.family);
    }
  });

  it('ends the session of a token that was used before its last one', async () => {
    const first = await store.open(newUserId(), 0);
    const second = await rotated(first.token);
    const third = await rotated(second.token);

    expect(await store.rotate(first.token, 0)).toBe('reused');
    expect(await store.rotate(third.token, 0)).toBe('unknown');
  });

  it('gives the same next token to who sends one twice, until somebody uses that', async () => {
    const first = await store.open(newUserId(), 0);

    const second = await rotated(first.token);
    const again = await rotated(first.token);
    const third = await rotated(again.token);

    expect(again.token).toEqual(second.token);
    expect(await store.rotate(first.token, 0)).toBe('reused');
    expect(await store.rotate(third.token, 0)).toBe('unknown');
  });

  it('ends the session of a token that comes again after the grace', async () => {
    const strict = new SessionStore(redis, { reuseGraceSeconds: 0.05 });
    const first = await strict.open(newUserId(), 0);
    const second = await rotated(first.token, strict);
    await wait(100);

    expect(await strict.rotate(first.token, 0)).toBe('reused');
    expect(await strict.rotate(second.token, 0)).toBe('unknown');
  });

  it('ends it for a thief and for the owner, whichever of them comes second with a copied token', async () => {
    const strict = new SessionStore(redis, { reuseGraceSeconds: 0.05 });
    const copied = (await strict.open(newUserId(), 0)).token;
    const thief = await rotated(copied, strict);
    const thiefAgain = await rotated(thief.token, strict);
    await wait(100);

    expect(await strict.rotate(copied, 0)).toBe('reused');
    expect(await strict.rotate(thiefAgain.token, 0)).toBe('unknown');
  });

  it('lets nobody end a session who knows its id and its user, but no token of it', async () => {
    const userId = newUserId();
    const open = await store.open(userId, 0);
    const guessed = [
      { ...createRefreshToken(userId), family: open.sessionId },
      { ...createRefreshToken(userId) },
      { ...open.token, userId: newUserId() },
    ];

    for (const token of guessed) {
      expect(await store.rotate(token, 0)).toBe('unknown');
      expect(await store.close(token)).toBe(false);
    }
    await rotated(open.token);
  });

  /** Makes a session so many seconds older. */
  async function age({ sessionId, token }: OpenSession, seconds: number): Promise<void> {
    const key = `sessions:${token.userId}`;
    const session = JSON.parse((await redis.hget(key, sessionId)) ?? '{}');
    session.endsAt -= seconds;
    session.idleEndsAt -= seconds;
    await redis.hset(key, sessionId, JSON.stringify(session));
  }

  it('ends by not being used for a week', async () => {
    const used = await store.open(newUserId(), 0);
    const forgotten = await store.open(newUserId(), 0);
    await age(used, 7 * DAY_SECONDS - 60);
    await age(forgotten, 7 * DAY_SECONDS + 1);

    const next = await rotated(used.token);
    expect(next.expiresInSeconds).toBe(7 * DAY_SECONDS);
    expect(await store.rotate(forgotten.token, 0)).toBe('unknown');
  });

  it('ends after 30 days however much it is used', async () => {
    let used = await store.open(newUserId(), 0);
    for (let days = 0; days < 24; days += 6) {
      await age(used, 6 * DAY_SECONDS);
      used = await rotated(used.token);
    }
    expect(used.expiresInSeconds).toBeGreaterThan(6 * DAY_SECONDS - 60);
    expect(used.expiresInSeconds).toBeLessThanOrEqual(6 * DAY_SECONDS);
    await age(used, 6 * DAY_SECONDS + 1);

    expect(await store.rotate(used.token, 0)).toBe('unknown');
  });

  it('leaves Redis by itself when nobody comes for the idle time', async () => {
    const { token } = await store.open(newUserId(), 0);

    const milliseconds = await redis.pttl(`sessions:${token.userId}`);

    expect(milliseconds).toBeGreaterThan(0);
    expect(milliseconds).toBeLessThanOrEqual(7 * DAY_SECONDS * 1_000);
  });

  it('refuses a session of an earlier generation, and of a later one', async () => {
    const userId = newUserId();
    const [one, two, three] = [
      await store.open(userId, 1),
      await store.open(userId, 2),
      await store.open(userId, 3),
    ];

    expect(await store.rotate(one.token, 2)).toBe('unknown');
    expect(await store.rotate(three.token, 2)).toBe('unknown');
    await rotated(two.token, store, 2);
  });

  it('keeps as many sessions as one may have, the least recently used ones going first', async () => {
    const userId = newUserId();
    const few = new SessionStore(redis, { maximumPerUser: 3 });
    const sessions = [];
    for (let opened = 0; opened < 3; opened += 1) {
      sessions.push(await few.open(userId, 0));
      await wait(5);
    }
    const [first, second, third] = sessions as [OpenSession, OpenSession, OpenSession];
    const used = await rotated(first.token, few);
    await wait(5);
    const fourth = await few.open(userId, 0);

    expect(await redis.hlen(`sessions:${userId}`)).toBe(3);
    expect(await few.rotate(second.token, 0)).toBe('unknown');
    for (const { token } of [used, third, fourth]) await rotated(token, few);
  });

  it('ends one session by any of its tokens, and all of a user at once', async () => {
    const userId = newUserId();
    const first = await store.open(userId, 0);
    const second = await rotated(first.token);
    const other = await store.open(userId, 0);

    expect(await store.close(first.token)).toBe(true);
    expect(await store.rotate(second.token, 0)).toBe('unknown');
    const kept = await rotated(other.token);
    await store.closeAll(userId);

    expect(await store.rotate(kept.token, 0)).toBe('unknown');
    expect(await redis.exists(`sessions:${userId}`)).toBe(0);
  });

  it('lists the sessions that have not ended, with when they began, were used and end', async () => {
    const userId = newUserId();
    const [first, idle, over] = [
      await store.open(userId, 0),
      await store.open(userId, 0),
      await store.open(userId, 0),
    ];
    const { sessionId, beganAt } = await rotated(first.token);
    expect(beganAt).toBe(first.beganAt);
    expect(Math.abs(beganAt - Date.now())).toBeLessThan(60_000);
    await age(idle, 7 * DAY_SECONDS);
    const key = `sessions:${userId}`;
    const stored = async (id: string) => JSON.parse((await redis.hget(key, id)) ?? '{}');
    const { beganAt: endsAt } = await stored(over.sessionId);
    await redis.hset(
      key,
      over.sessionId,
      JSON.stringify({ ...(await stored(over.sessionId)), endsAt }),
    );

    const { rotatedAt, endsAt: ends, idleEndsAt } = await stored(sessionId);
    expect(ends).toBe(beganAt / 1_000 + 30 * DAY_SECONDS);
    expect(idleEndsAt).toBeLessThan(ends);
    expect(await store.list(userId)).toEqual([
      {
        id: sessionId,
        beganAt: new Date(beganAt).toISOString(),
        usedAt: new Date(rotatedAt).toISOString(),
        endsAt: new Date(1_000 * idleEndsAt).toISOString(),
      },
    ]);
    expect(await store.list(newUserId())).toEqual([]);
    expect(await new SessionStore(null).list(userId)).toEqual([]);
  });

  it('compares the clocks once in a while, and with the next reply when that failed', async () => {
    const own = new SessionStore(redis);
    const compared = vi.spyOn(redis, 'redisTime').mockRejectedValueOnce(new Error('away'));
    onTestFinished(() => compared.mockRestore());

    for (let times = 0; times < 4; times += 1) await own.open(newUserId(), 0);

    expect(compared).toHaveBeenCalledTimes(2);
  });

  it('without the grace gives the next token to exactly one of many at once, and then ends the session', async () => {
    const strict = new SessionStore(redis, { reuseGraceSeconds: -1 });
    for (let round = 0; round < 10; round += 1) {
      const { token } = await strict.open(newUserId(), 0);

      const outcomes = await Promise.all(Array.from({ length: 20 }, () => strict.rotate(token, 0)));
      const winners = outcomes.filter((outcome) => typeof outcome !== 'string');

      expect(winners).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'reused')).toHaveLength(1);
      const winner = winners[0];
      if (winner === undefined) throw new Error('no winner');
      expect(await strict.rotate(winner.token, 0)).toBe('unknown');
    }
  });

  it('behaves as the rules say for whatever order tokens come in', async () => {
    // A model in a few lines: tokens by age, which one is newest, whether the newest has been used since, whether it has ended.
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constant('newest' as const) },
      { weight: 3, arbitrary: fc.constant('one before' as const) },
      { weight: 1, arbitrary: fc.constant('older' as const) },
      { weight: 1, arbitrary: fc.constant('logout' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const tokens = [(await store.open(newUserId(), 0)).token];
        let ended = false;
        for (const each of steps) {
          if (each === 'logout') {
            const last = tokens.at(-1);
            if (last !== undefined) expect(await store.close(last)).toBe(!ended);
            ended = true;
            continue;
          }
          const age = each === 'newest' ? 1 : each === 'one before' ? 2 : 3;
          const token = tokens.at(-age);
          if (token === undefined) continue;
          const outcome = await store.rotate(token, 0);
          if (ended) expect(outcome).toBe('unknown');
          else if (age === 1) tokens.push((outcome as OpenSession).token);
          else if (age === 2) expect((outcome as OpenSession).token).toEqual(tokens.at(-1));
          else {
            expect(outcome).toBe('reused');
            ended = true;
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
