import { exponentialDelay, withJitter } from '../../contracts/backoff.ts';
import { Batcher } from '../../contracts/batching/batcher.ts';
import { ConcurrencyLimiter } from '../../contracts/concurrency/concurrency-limiter.ts';
import { withDeadline } from '../../contracts/concurrency/deadline.ts';
import type { Event } from '../../contracts/events.ts';
import type { Logger } from '../observability/logger.ts';
import { type EventSender, SQS_BATCH_MAXIMUM } from './event-sender.ts';
import type { Outbox } from './outbox.ts';

export interface EventDispatcherOptions {
  /** Longest pause between reads of the outbox while the queue works, in milliseconds. @default 5000 */
  readonly relayIntervalMilliseconds?: number;
  /** Longest pause while the queue fails. @default 30000 */
  readonly longestPauseMilliseconds?: number;
  /** How long events are reserved for the relay that took them, in seconds. @default 15 */
  readonly leaseSeconds?: number;
}

const RELAY_INTERVAL_MILLISECONDS = 5_000;
const FIRST_PAUSE_MILLISECONDS = 1_000;
const LONGEST_PAUSE_MILLISECONDS = 30_000;
/** Longer than a relay takes for its batch when every request times out. */
const LEASE_SECONDS = 15;
const RELAY_BATCH = 5 * SQS_BATCH_MAXIMUM;
/**
 * How long the first event of a batch waits for others, in milliseconds: requests to SQS are paid by number, and one costs as much CPU time as
 * several creates. At 100 events a second of a process the batches are full.
 */
const LINGER_MILLISECONDS = 100;
/** Requests to SQS at once: at 10 ms each, some 10,000 events a second. */
const SENDS_MAXIMUM = 10;
/** Most events held in memory; the others are sent by the relay. */
const HELD_MAXIMUM = 10_000;
const CLOSE_TIMEOUT_MILLISECONDS = 2_000;

/**
 * Sends the events of the outbox to the queue, each at least once.
 *
 * `dispatch` sends an event of this process, after the response. A relay sends what stays in the outbox, of any process: because the queue was
 * down, or the process died between commit and send. While the queue is down only the relay tries, with exponential backoff.
 */
export class EventDispatcher {
  readonly #outbox: Outbox;
  readonly #sender: EventSender;
  readonly #logger: Logger;
  readonly #relayInterval: number;
  readonly #longestPause: number;
  readonly #leaseSeconds: number;
  readonly #batches = new Batcher<Event>({
    maximum: SQS_BATCH_MAXIMUM,
    lingerMilliseconds: LINGER_MILLISECONDS,
    run: (events) => this.#track(this.#sendWhenPossible(events)),
  });
  readonly #sends = new ConcurrencyLimiter({
    concurrency: SENDS_MAXIMUM,
    maximumWaiting: HELD_MAXIMUM,
  });
  /** Events of the batches that wait for one of the sends to end. */
  #waiting = 0;
  /** With a statement for each batch of ten, removing would cost as much as some of the creates. */
  readonly #removals = new Batcher<string>({
    lingerMilliseconds: LINGER_MILLISECONDS,
    run: (ids) => this.#track(this.#remove(ids)),
  });
  readonly #inFlight = new Set<Promise<void>>();
  #relayTimer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** When the queue may be tried again after a failure, in milliseconds of `performance.now()`. */
  #nextAttemptAt = 0;
  #closed = false;

  constructor(
    outbox: Outbox,
    sender: EventSender,
    logger: Logger,
    options: EventDispatcherOptions = {},
  ) {
    this.#outbox = outbox;
    this.#sender = sender;
    this.#logger = logger;
    this.#relayInterval = options.relayIntervalMilliseconds ?? RELAY_INTERVAL_MILLISECONDS;
    this.#longestPause = options.longestPauseMilliseconds ?? LONGEST_PAUSE_MILLISECONDS;
    this.#leaseSeconds = options.leaseSeconds ?? LEASE_SECONDS;
  }

  /** Events that the queue accepted, and those that it refused one by one, since the process started. */
  readonly counts = { sent: 0, refused: 0, failedSends: 0 };

  /** Events that wait to be sent. */
  get held(): number {
    return this.#batches.size + this.#waiting;
  }

  /** Whether the last send succeeded. */
  get isUp(): boolean {
    return this.#failures === 0;
  }

  /** Starts the relay. */
  start(): void {
    this.#relayAfter(0);
  }

  /** Sends an event of the outbox soon. It never throws: an event that cannot be sent stays in the outbox. */
  readonly dispatch = (event: Event): void => {
    if (this.#closed || performance.now() < this.#nextAttemptAt) return;
    if (this.held < HELD_MAXIMUM) this.#batches.add(event);
  };

  /** Sends the held events, for two seconds at most, and stops. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#relayTimer);
    this.#batches.flush();
    const createError = () => new Error('Events are left in the outbox');
    await withDeadline(CLOSE_TIMEOUT_MILLISECONDS, createError, async () => {
      while (this.#inFlight.size + this.#removals.size > 0) {
        await Promise.all(this.#inFlight);
        if (this.#inFlight.size === 0) this.#removals.flush();
      }
    }).catch((error: unknown) => {
      this.#logger.warn({ error }, 'The queue did not respond before the shutdown');
      this.#removals.flush();
    });
    this.#sender.close();
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#inFlight.delete(tracked));
    this.#inFlight.add(tracked);
  }

  async #sendWhenPossible(events: readonly Event[]): Promise<void> {
    this.#waiting += events.length;
    try {
      await this.#sends.run(async () => {
        this.#waiting -= events.length;
        await this.#send(events);
      });
    } catch {
      // Refused after a failure of another send: the events stay in the outbox.
      this.#waiting -= events.length;
    }
  }

  /** @returns whether the queue accepted any of them; never throws. */
  async #send(events: readonly Event[]): Promise<boolean> {
    let sent: readonly string[] = [];
    try {
      sent = await this.#sender.send(events);
      if (sent.length === 0) throw new Error('The queue refused a whole batch');
      if (!this.isUp) this.#logger.info('The queue accepts events again');
      this.#failures = 0;
      this.#nextAttemptAt = 0;
      this.counts.sent += sent.length;
    } catch (error) {
      this.counts.failedSends += 1;
      this.#pauseAfter(error);
      return false;
    }
    if (sent.length < events.length) {
      this.counts.refused += events.length - sent.length;
      this.#logger.warn({ refused: events.length - sent.length }, 'The queue refused some events');
    }
    for (const id of sent) this.#removals.add(id);
    return true;
  }

  /** Sends nothing for a while, twice as long after each failure in a row. */
  #pauseAfter(error: unknown): void {
    if (this.isUp)
      this.#logger.warn({ error }, 'The queue does not respond: events wait in the outbox');
    this.#failures += 1;
    const pause = exponentialDelay(this.#failures, FIRST_PAUSE_MILLISECONDS, this.#longestPause);
    this.#nextAttemptAt = performance.now() + withJitter(pause);
    this.#batches.clear();
    this.#sends.refuseWaiting(error);
  }

  async #remove(ids: readonly string[]): Promise<void> {
    try {
      await this.#outbox.remove(ids);
    } catch (error) {
      this.#logger.warn({ error }, 'Sent events stay in the outbox, and will be sent again');
    }
  }

  #relayAfter(milliseconds: number): void {
    if (this.#closed) return;
    this.#relayTimer = setTimeout(() => {
      const relay = this.#relay().then((pause) => this.#relayAfter(pause));
      this.#track(relay);
    }, milliseconds);
  }

  /** Sends due events. @returns how long to pause, in milliseconds. */
  async #relay(): Promise<number> {
    try {
      const events = await this.#outbox.take(RELAY_BATCH, this.#leaseSeconds);
      for (let start = 0; start < events.length && !this.#closed; start += SQS_BATCH_MAXIMUM) {
        const taken = await this.#send(events.slice(start, start + SQS_BATCH_MAXIMUM));
        if (!taken) return Math.max(0, this.#nextAttemptAt - performance.now());
      }
      // A full batch means that there is more.
      return events.length === RELAY_BATCH ? 0 : withJitter(this.#relayInterval);
    } catch (error) {
      this.#logger.warn({ error }, 'The outbox could not be read');
      return withJitter(this.#relayInterval);
    }
  }
}
