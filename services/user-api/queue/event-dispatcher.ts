import type { Event } from '../../contracts/events.ts';
import { outsideTrace } from '../../contracts/tracing/trace-context.ts';
import type { Logger } from '../observability/logger.ts';
import { type EventSender, SQS_BATCH_MAXIMUM } from './event-sender.ts';
import type { Outbox } from './outbox.ts';
import { SentEvents } from './sent-events.ts';

export interface EventDispatcherOptions {
  /** Longest pause between looks at the outbox while the queue takes events, in milliseconds. @default 5000 */
  readonly relayIntervalMilliseconds?: number;
  /** Longest pause while it does not. @default 30000 */
  readonly longestPauseMilliseconds?: number;
  /** How long events that a relay took are left to it, in seconds. @default 15 */
  readonly leaseSeconds?: number;
}

const RELAY_INTERVAL_MILLISECONDS = 5_000;
const FIRST_PAUSE_MILLISECONDS = 1_000;
const LONGEST_PAUSE_MILLISECONDS = 30_000;
/** Longer than sending a whole batch of the relay takes when every request runs into its timeout. */
const LEASE_SECONDS = 15;
const RELAY_BATCH = 5 * SQS_BATCH_MAXIMUM;
/**
 * How long the first event of a batch waits for others, in milliseconds: requests to SQS are paid by number, and one costs as much
 * processor time as several creates. At 100 events a second of a process the batches are full; an email a tenth of a second later is not noticed.
 */
const LINGER_MILLISECONDS = 100;
/** Requests to SQS at once: at 10 ms each, some 10,000 events a second. */
const SENDS_MAXIMUM = 10;
/** Events held to be sent; what comes above waits in the outbox alone. */
const HELD_MAXIMUM = 10_000;
const CLOSE_TIMEOUT_MILLISECONDS = 2_000;

/**
 * Brings events from the outbox to the queue, each at least once.
 *
 * `dispatch` sends what this process has just written, off the way of the request that wrote it. Beside that a relay looks into
 * the outbox for what has been left there, by whichever process: because the queue was away, or the process died
 * between commit and send. While the queue is away nothing is sent but what the relay tries, ever more rarely.
 */
export class EventDispatcher {
  readonly #outbox: Outbox;
  readonly #sent: SentEvents;
  readonly #sender: EventSender;
  readonly #logger: Logger;
  readonly #relayInterval: number;
  readonly #longestPause: number;
  readonly #leaseSeconds: number;
  readonly #held: Event[] = [];
  readonly #sends = new Set<Promise<void>>();
  #linger: NodeJS.Timeout | undefined;
  #relayTimer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** When the queue may be tried again after a failure, in milliseconds of `performance.now()`. */
  #nextTryAt = 0;
  #closed = false;

  constructor(
    outbox: Outbox,
    sender: EventSender,
    logger: Logger,
    options: EventDispatcherOptions = {},
  ) {
    this.#outbox = outbox;
    this.#sent = new SentEvents(outbox, logger);
    this.#sender = sender;
    this.#logger = logger;
    this.#relayInterval = options.relayIntervalMilliseconds ?? RELAY_INTERVAL_MILLISECONDS;
    this.#longestPause = options.longestPauseMilliseconds ?? LONGEST_PAUSE_MILLISECONDS;
    this.#leaseSeconds = options.leaseSeconds ?? LEASE_SECONDS;
  }

  /** Events that the queue took, and those that it refused one by one, since the process started. */
  readonly counts = { sent: 0, refused: 0, failedSends: 0 };

  /** Events that wait to be sent. */
  get held(): number {
    return this.#held.length;
  }

  /** Whether the queue took what it was last given. */
  get isUp(): boolean {
    return this.#failures === 0;
  }

  /** Begins to look into the outbox, at once and then again and again. */
  start(): void {
    this.#relayAfter(0);
  }

  /** Sends an event that is in the outbox. Nobody waits for it, and it never throws: what cannot be sent stays there. */
  dispatch(event: Event): void {
    if (this.#closed || performance.now() < this.#nextTryAt) return;
    if (this.#held.length >= HELD_MAXIMUM) return;
    this.#held.push(event);
    // A batch is of many requests; each event names the trace of its own.
    outsideTrace(() => {
      if (this.#held.length >= SQS_BATCH_MAXIMUM) this.#sendHeld();
      else this.#linger ??= setTimeout(() => this.#sendHeld(), LINGER_MILLISECONDS);
    });
  }

  /** Sends what is held, for two seconds at most, and stops. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#relayTimer);
    this.#sendHeld();
    const deadline = new Promise((resolve) => {
      setTimeout(resolve, CLOSE_TIMEOUT_MILLISECONDS).unref();
    });
    while (this.#sends.size > 0) {
      const ended = await Promise.race([Promise.all(this.#sends), deadline.then(() => 'late')]);
      if (ended === 'late') break;
    }
    await Promise.race([this.#sent.remove(), deadline]);
    this.#sender.close();
  }

  #sendHeld(): void {
    clearTimeout(this.#linger);
    this.#linger = undefined;
    while (this.#held.length > 0 && this.#sends.size < SENDS_MAXIMUM) {
      this.#track(this.#send(this.#held.splice(0, SQS_BATCH_MAXIMUM)).then(() => {}));
    }
  }

  #track(send: Promise<void>): void {
    const tracked = send.finally(() => {
      this.#sends.delete(tracked);
      // What lingers has a timer of its own; to send it now would make small batches.
      if (this.#linger === undefined) this.#sendHeld();
    });
    this.#sends.add(tracked);
  }

  /** @returns whether the queue took any of them; never throws. */
  async #send(events: readonly Event[]): Promise<boolean> {
    let sent: readonly string[] = [];
    try {
      sent = await this.#sender.send(events);
      if (sent.length === 0) throw new Error('The queue refused a whole batch');
      if (!this.isUp) this.#logger.info('The queue takes events again');
      this.#failures = 0;
      this.#nextTryAt = 0;
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
    this.#sent.add(sent);
    return true;
  }

  /** Leaves everything to the outbox for a while, twice as long after each failure in a row. */
  #pauseAfter(error: unknown): void {
    if (this.isUp) this.#logger.warn({ error }, 'The queue is away: events wait in the outbox');
    const pause = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** this.#failures, this.#longestPause);
    this.#failures = Math.min(this.#failures + 1, 30);
    this.#nextTryAt = performance.now() + jittered(pause);
    this.#held.length = 0;
  }

  #relayAfter(milliseconds: number): void {
    if (this.#closed) return;
    this.#relayTimer = setTimeout(() => {
      const relay = this.#relay().then((pause) => this.#relayAfter(pause));
      this.#track(relay);
    }, milliseconds);
  }

  /** Sends events that are due. @returns how long to pause, in milliseconds. */
  async #relay(): Promise<number> {
    try {
      const events = await this.#outbox.take(RELAY_BATCH, this.#leaseSeconds);
      for (let start = 0; start < events.length && !this.#closed; start += SQS_BATCH_MAXIMUM) {
        const taken = await this.#send(events.slice(start, start + SQS_BATCH_MAXIMUM));
        if (!taken) return Math.max(0, this.#nextTryAt - performance.now());
      }
      // A full batch means that there is more.
      return events.length === RELAY_BATCH ? 0 : jittered(this.#relayInterval);
    } catch (error) {
      this.#logger.warn({ error }, 'The outbox could not be read');
      return jittered(this.#relayInterval);
    }
  }
}

/** Between half of it and all of it, so that many processes don't look at once. */
function jittered(milliseconds: number): number {
  return milliseconds * (0.5 + Math.random() / 2);
}
