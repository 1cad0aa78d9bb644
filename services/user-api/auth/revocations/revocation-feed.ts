import { withJitter } from '../../../contracts/backoff.ts';
import type { Logger } from '../../observability/logger.ts';
import { duplicate, type RedisClient } from '../../redis/redis.ts';
import { ACCESS_TOKEN_LIFETIME_SECONDS, CLOCK_TOLERANCE_SECONDS } from '../tokens/lifetime.ts';
import type { RevocationLog } from './revocation-log.ts';
import { type Revocation, Revocations, revocation } from './revocations.ts';

const CHANNEL = 'revocations';
/** Interval of polls: the bound on how long a revoked token works if Redis loses the message. */
export const POLL_INTERVAL_SECONDS = 2;
/** Overlap of polls: longer than a revoking transaction, whose rows have the time of its beginning and are visible from its commit. */
const OVERLAP_SECONDS = 15;
/** A minute more than tokens live, so that no token outlives its revocation through rounding. */
const REMEMBER_SECONDS = ACCESS_TOKEN_LIFETIME_SECONDS + 2 * CLOCK_TOLERANCE_SECONDS + 60;

export interface RevocationFeedParts {
  readonly log: Pick<RevocationLog, 'newest'>;
  /** For publishing; null where there is no Redis. */
  readonly redis: RedisClient | null;
  readonly logger: Logger;
  /** @default 2 */
  readonly pollIntervalSeconds?: number | undefined;
}

/**
 * Brings revocations to this process: over Redis within milliseconds, and from the database every two seconds. While both are down, a token
 * revoked by another process works here until it expires: ten minutes at most.
 */
export class RevocationFeed {
  readonly revocations = new Revocations(REMEMBER_SECONDS);
  readonly #parts: RevocationFeedParts;
  readonly #pollMilliseconds: number;
  #subscriber: RedisClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #readAt: number | undefined;
  #failing = false;
  #closed = false;

  constructor(parts: RevocationFeedParts) {
    this.#parts = parts;
    this.#pollMilliseconds = 1_000 * (parts.pollIntervalSeconds ?? POLL_INTERVAL_SECONDS);
  }

  /** Loads revocations, then polls. Never fails: the next poll retries. */
  async start(): Promise<void> {
    this.#subscribe();
    await this.#poll();
  }

  /** Notifies this process, and the others in the background. Never throws: they find it in the database. */
  publish(revoked: Revocation): void {
    this.revocations.add(revoked);
    this.#parts.redis?.publish(CHANNEL, JSON.stringify(revoked)).catch(() => {});
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#subscriber?.disconnect();
  }

  #subscribe(): void {
    const { redis, logger } = this.#parts;
    if (redis === null) return;
    // A subscribed connection can run no other commands.
    const subscriber = duplicate(redis);
    this.#subscriber = subscriber;
    // The original client logs errors of Redis.
    subscriber.on('error', () => {});
    subscriber.on('ready', () => {
      subscriber.subscribe(CHANNEL).then(
        // Messages of a lost connection are in the database.
        () => this.#pollNow(),
        (error: unknown) => {
          logger.warn({ error }, 'Not subscribed to revocations');
          if (!this.#closed) subscriber.disconnect(true);
        },
      );
    });
    subscriber.on('message', (_channel: string, message: string) => this.#receive(message));
  }

  #receive(message: string): void {
    try {
      this.revocations.add(revocation.parse(JSON.parse(message)));
    } catch (error) {
      this.#parts.logger.warn({ error }, 'A revocation could not be read');
    }
  }

  #pollNow(): void {
    if (this.#closed || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#poll();
  }

  async #poll(): Promise<void> {
    const startedAt = performance.now();
    const seconds =
      this.#readAt === undefined
        ? REMEMBER_SECONDS
        : Math.min((startedAt - this.#readAt) / 1_000 + OVERLAP_SECONDS, REMEMBER_SECONDS);
    try {
      for (const revoked of await this.#parts.log.newest(seconds)) this.revocations.add(revoked);
      this.#readAt = startedAt;
      if (this.#failing) this.#parts.logger.info('Revocations can be read again');
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#parts.logger.warn({ error }, 'Revocations cannot be read');
      this.#failing = true;
    }
    this.revocations.forgetOld();
    if (!this.#closed)
      this.#timer = setTimeout(() => void this.#poll(), withJitter(this.#pollMilliseconds)).unref();
  }
}
