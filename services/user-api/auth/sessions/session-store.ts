import type { Result } from 'ioredis';
import { z } from 'zod';
import type { RedisClient } from '../../redis/redis.ts';
import { AccessError } from '../errors.ts';
import {
  createRefreshToken,
  createSuccessorSalt,
  type RefreshToken,
  refreshTokenHash,
  sessionIdOf,
  successorOf,
} from './refresh-token.ts';
import { OPEN_SESSION, REDIS_TIME, ROTATE_SESSION } from './session-scripts.ts';

/** Lifetime of a session after the login: NIST SP 800-63B-4, 2.1.3 allows 30 days at most with a password alone. */
const SESSION_LIFETIME_SECONDS = 30 * 24 * 60 * 60;
/** Lifetime of a session without use. */
const SESSION_IDLE_SECONDS = 7 * 24 * 60 * 60;
/**
 * Grace in which a used refresh token returns its successor again, unless the successor has been used.
 *
 * RFC 9700, 4.14.2 ends the session on reuse, because two parties then have the token. But one party may send it twice: from two tabs, or
 * after a
 * lost response. The grace gives a thief nothing that lasts: owner and thief hold the same successor, and the second use of it ends the
 * session.
 * 10 seconds are enough for a retry after a timeout.
 */
const REUSE_GRACE_SECONDS = 10;
/** Sessions of one user at most; another login ends the least recently used one. */
const SESSIONS_MAXIMUM_PER_USER = 50;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    openSession(
      key: string,
      sessionId: string,
      tokenHash: string,
      generation: number,
      lifetimeSeconds: number,
      idleSeconds: number,
      maximum: number,
      runUntil: number,
    ): Result<unknown, Context>;
    rotateSession(
      key: string,
      sessionId: string,
      tokenHash: string,
      successorSalt: string,
      successorHash: string,
      generation: number,
      idleSeconds: number,
      graceMilliseconds: number,
      runUntil: number,
    ): Result<unknown, Context>;
    redisTime(key: string): Result<unknown, Context>;
  }
}

export interface SessionLifetimes {
  /** @default REUSE_GRACE_SECONDS, 10 seconds */
  readonly reuseGraceSeconds?: number;
  /** @default SESSIONS_MAXIMUM_PER_USER, 50 */
  readonly maximumPerUser?: number;
  /** How late Redis may run a script. @default RUN_WITHIN_MILLISECONDS, 5 seconds */
  readonly runWithinMilliseconds?: number;
}

/** A session's newest token, and its lifetime in seconds without use. */
export interface OpenSession {
  readonly sessionId: string;
  readonly token: RefreshToken;
  readonly expiresInSeconds: number;
  /** Time of the login, in milliseconds since 1970. */
  readonly beganAt: number;
}

export type Rotation = OpenSession | 'unknown' | 'reused';

const lateReply = z.tuple([z.literal('late')]);
const openingReply = z.tuple([z.number()]);
const timeReply = z.tuple([z.coerce.number(), z.coerce.number()]);
const rotationReply = z.union([
  z.tuple([z.enum(['rotated', 'repeated']), z.string(), z.number(), z.number()]),
  z.tuple([z.enum(['unknown', 'reused'])]),
]);

/** The fields of a stored session that are shown; see `session-scripts.ts`. */
const storedSession = z.object({
  beganAt: z.number(),
  rotatedAt: z.number(),
  endsAt: z.number(),
  idleEndsAt: z.number(),
});

/** A session as its owner sees it; times are RFC 3339 in UTC. */
export interface StoredSession {
  readonly id: string;
  readonly beganAt: string;
  /** The login, or the last renewal. */
  readonly usedAt: string;
  readonly endsAt: string;
}

/**
 * How late Redis may run a script, in milliseconds: longer than any command timeout, and shorter than the reuse grace, so that a client whose
 * refresh was refused can repeat it.
 */
const RUN_WITHIN_MILLISECONDS = 5_000;
/** Interval of comparisons with the clock of Redis. */
const CLOCK_CHECK_MILLISECONDS = 60_000;

/** `Retry-After` in seconds; Redis is retried several times a second. */
const RETRY_AFTER_SECONDS = 1;

const keyOf = (userId: number) => `sessions:${userId}`;

/**
 * Sessions in Redis, found by refresh tokens, of which only hashes are stored. Every method is one command on one key. All
 * throw {@link AccessError} sessions-unavailable when Redis is down or not configured.
 */
export class SessionStore {
  readonly #redis: RedisClient | null;
  readonly #graceSeconds: number;
  readonly #maximumPerUser: number;
  readonly #runWithin: number;
  /** How far the clock of Redis is ahead, in milliseconds; undefined while unknown. */
  #clockAhead: number | undefined;
  #clockCheckedAt = Number.NEGATIVE_INFINITY;

  /** @param redis - must give commands a timeout and refuse them while not connected; null where there is no Redis. */
  constructor(redis: RedisClient | null, lifetimes: SessionLifetimes = {}) {
    this.#redis = redis;
    this.#graceSeconds = lifetimes.reuseGraceSeconds ?? REUSE_GRACE_SECONDS;
    this.#maximumPerUser = lifetimes.maximumPerUser ?? SESSIONS_MAXIMUM_PER_USER;
    this.#runWithin = lifetimes.runWithinMilliseconds ?? RUN_WITHIN_MILLISECONDS;
    redis?.defineCommand('openSession', { numberOfKeys: 1, lua: OPEN_SESSION });
    redis?.defineCommand('rotateSession', { numberOfKeys: 1, lua: ROTATE_SESSION });
    redis?.defineCommand('redisTime', { numberOfKeys: 1, lua: REDIS_TIME });
  }

  /** @param generation - of the account; a higher one ends the session. */
  async open(userId: number, generation: number): Promise<OpenSession> {
    const token = createRefreshToken(userId);
    const sessionId = sessionIdOf(token);
    const key = keyOf(userId);
    const reply = await this.#callInTime(key, (redis, runUntil) =>
      redis.openSession(
        key,
        sessionId,
        refreshTokenHash(token),
        generation,
        SESSION_LIFETIME_SECONDS,
        SESSION_IDLE_SECONDS,
        this.#maximumPerUser,
        runUntil,
      ),
    );
    const [beganAt] = openingReply.parse(reply);
    const expiresInSeconds = Math.min(SESSION_IDLE_SECONDS, SESSION_LIFETIME_SECONDS);
    return { sessionId, token, expiresInSeconds, beganAt: 1_000 * beganAt };
  }

  /**
   * Exchanges a token for its successor. A repetition within the grace, before the successor has been used, gets the same one; any other reuse
   * ends
   * the session.
   *
   * @param generation - the account's current one.
   */
  async rotate(token: RefreshToken, generation: number): Promise<Rotation> {
    const sessionId = sessionIdOf(token);
    const salt = createSuccessorSalt();
    const key = keyOf(token.userId);
    const reply = await this.#callInTime(key, (redis, runUntil) =>
      redis.rotateSession(
        key,
        sessionId,
        refreshTokenHash(token),
        salt,
        refreshTokenHash(successorOf(token, salt)),
        generation,
        SESSION_IDLE_SECONDS,
        1_000 * this.#graceSeconds,
        runUntil,
      ),
    );
    const [outcome, usedSalt, expiresInSeconds, beganAt] = rotationReply.parse(reply);
    if (usedSalt === undefined || expiresInSeconds === undefined || beganAt === undefined) {
      return outcome === 'reused' ? 'reused' : 'unknown';
    }
    return {
      sessionId,
      token: successorOf(token, usedSalt),
      expiresInSeconds,
      beganAt: 1_000 * beganAt,
    };
  }

  /** Ends the session of a token, even of a used one. @returns whether it existed. */
  async close(token: RefreshToken): Promise<boolean> {
    const removed = await this.#ask((redis) => redis.hdel(keyOf(token.userId), sessionIdOf(token)));
    return removed === 1;
  }

  /** The user's active sessions; none where Redis is not configured. */
  async list(userId: number): Promise<StoredSession[]> {
    if (this.#redis === null) return [];
    const fields = await this.#ask((redis) => redis.hgetall(keyOf(userId)));
    const now = Date.now();
    return Object.entries(fields).flatMap(([id, text]) => {
      const { beganAt, endsAt, idleEndsAt, rotatedAt } = storedSession.parse(JSON.parse(text));
      const ends = 1_000 * Math.min(endsAt, idleEndsAt);
      if (ends <= now) return [];
      const usedAt = new Date(rotatedAt).toISOString();
      return [
        {
          id,
          beganAt: new Date(1_000 * beganAt).toISOString(),
          usedAt,
          endsAt: new Date(ends).toISOString(),
        },
      ];
    });
  }

  async closeAll(userId: number): Promise<void> {
    await this.#ask((redis) => redis.del(keyOf(userId)));
  }

  /** Sends a script that does nothing when Redis runs it too late. */
  async #callInTime(
    key: string,
    script: (redis: RedisClient, runUntil: number) => Promise<unknown>,
  ): Promise<unknown> {
    const reply = await this.#ask((redis) => {
      const ahead = this.#clockAhead;
      const runUntil = ahead === undefined ? 0 : Date.now() + ahead + this.#runWithin;
      return script(redis, Math.round(runUntil));
    });
    if (!lateReply.safeParse(reply).success) {
      this.#checkClock(key);
      return reply;
    }
    // The response came in time, so a clock has been set.
    this.#clockAhead = undefined;
    this.#clockCheckedAt = Number.NEGATIVE_INFINITY;
    throw unavailable();
  }

  /**
   * Compares the clocks at intervals, in the background. Asks the node of a key that has just replied: another node of a cluster may be
   * unconnected,
   * and the next script there would be refused while it connects.
   */
  #checkClock(key: string): void {
    const now = performance.now();
    if (now - this.#clockCheckedAt < CLOCK_CHECK_MILLISECONDS) return;
    this.#clockCheckedAt = now;
    this.#ask((redis) => redis.redisTime(key)).then(
      (reply) => {
        const [seconds, microseconds] = timeReply.parse(reply);
        this.#clockAhead = 1_000 * seconds + microseconds / 1_000 - Date.now();
      },
      () => {
        this.#clockCheckedAt = Number.NEGATIVE_INFINITY;
      },
    );
  }

  async #ask<Reply>(command: (redis: RedisClient) => Promise<Reply>): Promise<Reply> {
    if (this.#redis === null) throw unavailable();
    try {
      return await command(this.#redis);
    } catch (cause) {
      throw unavailable(cause);
    }
  }
}

function unavailable(cause?: unknown): AccessError {
  return new AccessError('sessions-unavailable', 'The store of sessions does not respond', {
    cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
