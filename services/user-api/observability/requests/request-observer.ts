import type { ServerResponse } from 'node:http';
import type { Tracer } from '../../../contracts/tracing/span.ts';
import { inSpan, inTrace } from '../../../contracts/tracing/trace-context.ts';
import { parseTraceParent, type TraceParent } from '../../../contracts/tracing/trace-parent.ts';
import type { Logger } from '../logger.ts';
import { AccessLog, type AccessLogSettings } from './access-log.ts';
import { RequestMetrics } from './request-metrics.ts';
import type { ObservedRequest, RequestRecord } from './request-record.ts';

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

/** Where no route answered: a path is what a client likes, and may hold anything. */
const NO_ROUTE = 'none';
/** nginx' status for a client that did not wait for the response; nobody receives it. */
const CLIENT_CLOSED_REQUEST = 499;
const FIRST_SERVER_ERROR_STATUS = 500;

/** Sees every request, whichever way it is answered: counts it, logs it, and traces some. */
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
