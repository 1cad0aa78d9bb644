import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from '../observability/logger.ts';
import type { RedisClient } from '../redis/redis.ts';

/** That a resource has been written: whatever is older than this version is out of date. */
export interface Invalidation {
  readonly id: number;
  readonly version: number;
}

/** As it is sent: `<id> <version>`. */
export function encodeInvalidation(id: number, version: number): string {
  return `${id} ${version}`;
}

const MESSAGE = /^(\d{1,16}) (\d{1,10})$/;

/** @returns null for what is no such message. */
export function decodeInvalidation(message: string): Invalidation | null {
  const [, id, version] = MESSAGE.exec(message) ?? [];
  return id === undefined ? null : { id: Number(id), version: Number(version) };
}

export interface InvalidationFeedParts {
  /**
   * A connection of its own, to any node: a message that is published on one node of a cluster reaches subscribers of all. It must not
   * subscribe by itself after it was lost, or messages would be missed unnoticed.
   */
  readonly subscriber: Redis;
  /** What invalidation messages come by, with which the feed tests itself. */
  readonly publisher: RedisClient;
  readonly channel: string;
  /** From now on every message arrives. */
  readonly onOpen: () => void;
  readonly onInvalidation: (invalidation: Invalidation) => void;
  /** Messages may be missed from now on. */
  readonly onLost: () => void;
  readonly logger: Logger;
  /** @default 1,000 */
  readonly heartbeatMilliseconds?: number;
}

/** How often the feed publishes a heartbeat to itself. */
export const HEARTBEAT_MILLISECONDS = 1_000;
/** How long a heartbeat may take. With the interval it bounds how long the feed is open without messages: 1.1 s. */
export const HEARTBEAT_GRACE_MILLISECONDS = 100;

/**
 * Invalidation messages, from all processes, over Redis pub/sub. It has two states: open, in which every message arrives, and lost. Pub/sub is at most
 * once, so what was published while it was lost never arrives.
 *
 * Plain PUBLISH, not the sharded SPUBLISH: it works alike with one server and in a cluster, where each node passes a message on to all
 * the others. That costs the cluster a message to every node for each write; docs/cache.md says from when on that is too much.
 */
export class InvalidationFeed {
  readonly #parts: InvalidationFeedParts;
  readonly #heartbeatChannel = `heartbeat:${randomUUID()}`;
  #isOpen = false;
  #opening = 0;
  #sent = 0;
  #received = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: InvalidationFeedParts) {
    this.#parts = parts;
  }

  /** Subscribes, and again whenever the connection is there again. */
  start(): void {
    const { subscriber, heartbeatMilliseconds = HEARTBEAT_MILLISECONDS } = this.#parts;
    subscriber.on('ready', () => void this.#subscribe());
    // The connection for commands goes to the same Redis, and its errors are logged.
    subscriber.on('error', () => {});
    subscriber.on('close', () => this.#lose('The connection was lost'));
    subscriber.on('message', (channel: string, message: string) => {
      this.#receive(channel, message);
    });
    if (subscriber.status === 'ready') void this.#subscribe();
    this.#timer = setInterval(() => this.#beat(), heartbeatMilliseconds).unref();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#parts.subscriber.disconnect();
  }

  async #subscribe(): Promise<void> {
    const { subscriber, channel, logger, onOpen } = this.#parts;
    try {
      await subscriber.subscribe(channel, this.#heartbeatChannel);
    } catch (error) {
      if (this.#closed) return;
      logger.warn({ error }, 'Not subscribed to invalidations');
      subscriber.disconnect(true);
      return;
    }
    if (subscriber.status !== 'ready' || this.#isOpen) return;
    this.#isOpen = true;
    this.#opening += 1;
    logger.info('Subscribed to invalidations: the near cache is open');
    onOpen();
  }

  #lose(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (!this.#closed) this.#parts.logger.warn({ reason }, 'The near cache is closed');
    this.#parts.onLost();
  }

  #receive(channel: string, message: string): void {
    if (channel === this.#heartbeatChannel) {
      this.#received = Math.max(this.#received, Number(message));
      return;
    }
    const invalidation = decodeInvalidation(message);
    if (invalidation !== null) this.#parts.onInvalidation(invalidation);
    else this.#parts.logger.warn('An invalidation message could not be read');
  }

  /**
   * Publishes a heartbeat, which has to come back in time, whether or not Redis replies to the command. Where the heartbeat could not be published,
   * a PONG on the subscriber's own connection has to come instead.
   */
  #beat(): void {
    if (!this.#isOpen) return;
    this.#sent += 1;
    const beat = this.#sent;
    const opening = this.#opening;
    const { publisher, subscriber } = this.#parts;
    let isPublished = false;
    let hasResponse = false;
    publisher.publish(this.#heartbeatChannel, String(beat)).then(
      () => {
        isPublished = true;
      },
      () => {},
    );
    subscriber.ping().then(
      () => {
        hasResponse = true;
      },
      () => {},
    );
    const check = () => {
      if (!this.#isOpen || this.#opening !== opening || this.#received >= beat) return;
      if (hasResponse && !isPublished) return;
      this.#lose('Redis passes nothing on');
      subscriber.disconnect(true);
    };
    // After a pause of this process, what has arrived is read before it is judged.
    setTimeout(() => setImmediate(check), HEARTBEAT_GRACE_MILLISECONDS).unref();
  }
}
