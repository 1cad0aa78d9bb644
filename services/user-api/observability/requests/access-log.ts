import type { Logger } from '../logger.ts';
import type { ObservedRequest, RequestRecord } from './request-record.ts';

export interface AccessLogSettings {
  /** Of so many requests that a cache answers, one gets a line. */
  readonly oneHitIn: number;
  readonly slowRequestMilliseconds: number;
}

/** How a request ended. */
export interface RequestEnd {
  /** Pattern of the route. */
  readonly route: string;
  readonly status: number;
  readonly durationMilliseconds: number;
  /** Whether the client was gone before it had the whole response. */
  readonly aborted: boolean;
}

const FIRST_ERROR_STATUS = 400;
const FIRST_SERVER_ERROR_STATUS = 500;

/**
 * One line for each request, after its response has been sent or the client has gone; of hits in a cache only one in so
 * many, because there are so many of them, and a line costs more than what they are answered with. Never the URL: ids of people are in its path, and what
 * they search for is in its query.
 */
export class AccessLog {
  readonly #root: Logger;
  readonly #logger: Logger;
  readonly #settings: AccessLogSettings;
  #hits = 0;

  constructor(logger: Logger, settings: AccessLogSettings) {
    this.#root = logger;
    // All that it writes is known to be harmless, and looking for what to mask takes twice as long as writing it. Its own level lets
    // all pass: the one that counts is that of the logger it comes of, which can be changed at any time.
    this.#logger = logger.child({}, { redact: [], level: 'trace' });
    this.#settings = settings;
  }

  write(incoming: ObservedRequest, record: Readonly<RequestRecord>, end: RequestEnd): void {
    const slow = end.durationMilliseconds > this.#settings.slowRequestMilliseconds;
    const ordinary = !slow && !end.aborted && end.status < FIRST_ERROR_STATUS;
    const sampled = record.fromCache && ordinary;
    if (sampled && !this.#isChosen()) return;
    const level = slow || end.status >= FIRST_SERVER_ERROR_STATUS ? 'warn' : 'info';
    if (!this.#root.isLevelEnabled(level)) return;
    const { problem, trace } = record;
    this.#logger[level](
      {
        requestId: incoming.requestId,
        ...(trace === undefined ? {} : { traceId: trace.traceId, spanId: trace.spanId }),
        method: incoming.method,
        route: end.route,
        status: end.status,
        durationMilliseconds: Number(end.durationMilliseconds.toFixed(3)),
        ...(problem === null ? {} : { problem }),
        ...(end.aborted ? { aborted: true } : {}),
        ...(sampled ? { oneHitIn: this.#settings.oneHitIn } : {}),
      },
      slow ? 'slow request' : 'request',
    );
  }

  /** The first, and then every so many: what the lines say is right for all hits when multiplied. */
  #isChosen(): boolean {
    const chosen = this.#hits === 0;
    this.#hits = (this.#hits + 1) % this.#settings.oneHitIn;
    return chosen;
  }
}
