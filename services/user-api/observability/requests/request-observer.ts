import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Span, TraceParent, Tracer } from '../../../contracts/tracing/span.ts';
import { inSpan, inTrace, parseTraceParent } from '../../../contracts/tracing/trace-context.ts';
import type { Logger } from '../logger.ts';
import { RequestMetrics } from '../metrics/counters.ts';

/** A request as metrics, logs and traces see it. */
export interface ObservedRequest extends Pick<IncomingMessage, 'headers' | 'method'> {
  /** In milliseconds of `performance.now()`. */
  readonly receivedAt: number;
  readonly requestId: string;
}

/** What is recorded of a request besides itself; the steps that it passes fill it in. */
export class RequestRecord {
  /** Pattern of the route that responds, such as `/api/v1/users/{id}`; null while none does. */
  route: string | null = null;
  /** Slug of the problem in the response; null while there is none. */
  problem: string | null = null;
  /** Whether a cache had the response, in this process's memory or in Redis: only some of these requests are logged. */
  fromCache = false;
  /** The trace that it belongs to, and its span there when it is recorded. */
  trace: TraceParent | undefined = undefined;
  span: Span | undefined = undefined;
}

export interface AccessLogSettings {
  /** Of so many requests that a cache serves, one gets a line. */
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
 * many, because there are so many of them, and a line costs more than their response. Never the URL: ids of people are in its path, and what
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

/** So that nobody can make a process trace all that it does by saying so in a header. */
export const TRACES_MAXIMUM_PER_SECOND = 100;

/** Decides which requests are recorded: those whose caller is, and of the others a fraction. */
export class TraceSampler {
  readonly #ratio: number;
  // None yet: the first second of a process counts as any other.
  #second = -1;
  #left = 0;

  /** @param ratio - from 0 to 1. */
  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  /** Whether a request that comes without a trace is to begin one: no more than a random number, because it is asked for each request. */
  chooses(): boolean {
    return this.#ratio > 0 && Math.random() < this.#ratio;
  }

  /** Whether to record what has been chosen, or whose caller is recorded. */
  admits(parent: TraceParent | null): boolean {
    if (parent !== null && !parent.sampled) return false;
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#left = TRACES_MAXIMUM_PER_SECOND;
    }
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}

export interface RequestObserverOptions extends AccessLogSettings {
  readonly logger: Logger;
  /** Null: nothing is recorded, but traces of callers are passed on. */
  readonly tracer: Tracer | null;
  /** Fraction of requests that are traced, of those whose caller has not decided it. */
  readonly traceRatio: number;
}

/** Where no route matched: a path may hold anything that a client likes. */
const NO_ROUTE = 'none';
/** nginx' status for a client that did not wait for the response; nobody receives it. */
const CLIENT_CLOSED_REQUEST = 499;

/** Sees every request, whichever path responds: counts it, logs it, and traces some. */
export class RequestObserver {
  readonly metrics = new RequestMetrics();
  readonly #log: AccessLog;
  readonly #tracer: Tracer | null;
  readonly #sampler: TraceSampler;

  constructor(options: RequestObserverOptions) {
    this.#log = new AccessLog(options.logger, options);
    this.#tracer = options.tracer;
    this.#sampler = new TraceSampler(options.tracer === null ? 0 : options.traceRatio);
  }

  /** Whether a request is to begin a trace, if it brings none: to be asked once for each, and given to {@link pass}. */
  chooses(): boolean {
    return this.#sampler.chooses();
  }

  /** Runs `respond`, in a trace where there is one. A request without costs one look at its headers. */
  pass(
    incoming: ObservedRequest,
    record: RequestRecord,
    respond: () => unknown,
    isChosen: boolean = this.chooses(),
  ): void {
    const { traceparent } = incoming.headers;
    if (traceparent === undefined && !isChosen) respond();
    else this.#trace(incoming, record, respond, isChosen);
  }

  /** In place of {@link pass} and {@link ended}, for a request whose response has been sent at once. */
  responded(incoming: ObservedRequest, record: Readonly<RequestRecord>, status: number): void {
    this.#record(incoming, record, status, false);
  }

  /** To be called once for each request, when its response has been sent or the client has gone. */
  ended(
    incoming: ObservedRequest,
    record: Readonly<RequestRecord>,
    outgoing: Pick<ServerResponse, 'statusCode' | 'writableFinished'>,
  ): void {
    const aborted = !outgoing.writableFinished;
    this.#record(incoming, record, aborted ? CLIENT_CLOSED_REQUEST : outgoing.statusCode, aborted);
  }

  #record(
    incoming: ObservedRequest,
    record: Readonly<RequestRecord>,
    status: number,
    aborted: boolean,
  ): void {
    const { problem, span } = record;
    const route = record.route ?? NO_ROUTE;
    const method = incoming.method ?? '';
    const durationMilliseconds = performance.now() - incoming.receivedAt;
    this.metrics.record(method, route, status, durationMilliseconds / 1_000);
    if (problem !== null) this.metrics.recordProblem(route, problem);
    this.#log.write(incoming, record, { route, status, durationMilliseconds, aborted });
    if (span === undefined) return;
    span.rename(`${method} ${route}`);
    span.set('http.route', route);
    span.set('http.response.status_code', status);
    if (problem !== null) span.set('error.type', problem);
    if (status >= FIRST_SERVER_ERROR_STATUS) span.fail(problem ?? String(status));
    span.end();
  }

  #trace(
    incoming: ObservedRequest,
    record: RequestRecord,
    respond: () => unknown,
    isChosen: boolean,
  ): void {
    const { traceparent } = incoming.headers;
    const parent = typeof traceparent === 'string' ? parseTraceParent(traceparent) : null;
    if (this.#records(parent, isChosen) && this.#sampler.admits(parent)) {
      record.span = this.#tracer?.startSpan(
        incoming.method ?? '',
        {
          kind: 'server',
          attributes: {
            'http.request.method': incoming.method ?? '',
            'request.id': incoming.requestId,
          },
        },
        parent,
      );
    }
    const { span } = record;
    if (span !== undefined) {
      record.trace = span.parent;
      inSpan(span, respond);
    } else if (parent !== null) {
      // What we could record but don't is nobody's to record further on.
      const passedOn = this.#tracer === null ? parent : { ...parent, sampled: false };
      record.trace = passedOn;
      inTrace(passedOn, respond);
    } else respond();
  }

  /** A header that is no trace leaves the choice to us. */
  #records(parent: ReturnType<typeof parseTraceParent>, isChosen: boolean): boolean {
    return this.#tracer !== null && (parent !== null || isChosen);
  }
}
