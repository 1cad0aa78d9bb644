import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { RequestAddressFinder } from '../client-address/client-address.ts';
import { dropUnreadBody } from '../http/body.ts';
import {
  type ApiBindings,
  type ApiEnvironment,
  type ApiRequest,
  createBindings,
  type FastPathFindings,
} from '../http/environment.ts';
import { brokenRule } from '../http/message-rules.ts';
import { Problem } from '../http/problem.ts';
import type { ResponseHeaders } from '../http/response-headers.ts';
import { type RequestObserver, RequestRecord } from '../observability/requests/request-observer.ts';
import { type FastPath, type FastPathResult, NOTHING_FOUND } from './fast-path.ts';

export interface PipelineSettings {
  /** How long a client may take to end a body that was refused. */
  readonly headersTimeoutMilliseconds: number;
  /** Sets what every response has. */
  readonly responseHeaders: ResponseHeaders;
  readonly addressOf: RequestAddressFinder;
  /** Counts what is refused before there is a route, by its address; gives the problem to send in its place. @default nothing is counted */
  readonly countRefused?: (address: string) => Promise<Problem | null>;
  /** @default none */
  readonly fastPath?: FastPath | null;
}

type Outgoing = ServerResponse<ApiRequest>;

/**
 * What a request passes, from its head to its line in the log:
 *
 * 1. **The fast path** (./fast-path.ts) responds to the eligible GET of a user, and passes all else on with what it has found out.
 * 2. **The full path**: request id, security headers and CORS; the rules for messages; then the app (./app.ts) with its router and the steps around
 *    each handler. Its steps share {@link ApiBindings}.
 * 3. **The error path** (./error-handler.ts) makes a problem of whatever the full path throws.
 * 4. **The record** of the request goes to metrics, log and trace, whichever path has responded.
 */
export class RequestPipeline {
  readonly inFlight = new ResponsesInFlight();
  readonly #observer: RequestObserver;
  readonly #settings: PipelineSettings;
  readonly #enterApp: (bindings: ApiBindings) => unknown;
  /** Connections on which nothing is read as a request any more: where the refused one ended, nobody can tell. */
  readonly #refused = new WeakSet<Socket>();
  #isDraining = false;

  constructor(
    app: Pick<Hono<ApiEnvironment>, 'fetch'>,
    observer: RequestObserver,
    settings: PipelineSettings,
  ) {
    this.#observer = observer;
    this.#settings = settings;
    this.#enterApp = this.#createEntrance(app);
  }

  /** The listener of node:http. */
  readonly handle = (incoming: ApiRequest, outgoing: Outgoing): void => {
    // It came behind one that was the last on its connection.
    if (incoming.socket.writableEnded) return;
    const isTraced = this.#observer.chooses();
    const { fastPath } = this.#settings;
    const result =
      isTraced || this.#isDraining || !fastPath ? NOTHING_FOUND : fastPath(incoming, outgoing);
    if (result instanceof Promise) void this.#respondLater(incoming, outgoing, result);
    else if (result.isDone) this.#recordAtOnce(incoming, outgoing, result.record);
    else this.#respondInFull(incoming, outgoing, result.found, isTraced);
  };

  /** From now on each response is the last on its connection. */
  drain(): void {
    this.#isDraining = true;
    // Without this header a client would use the connection again, and find it closed.
    for (const outgoing of this.inFlight) {
      if (!outgoing.headersSent) outgoing.setHeader('connection', 'close');
    }
  }

  /** Whether a request on this connection was refused for how it was written. */
  hasRefused(socket: Socket): boolean {
    return this.#refused.has(socket);
  }

  async #respondLater(
    incoming: ApiRequest,
    outgoing: Outgoing,
    responding: Promise<FastPathResult>,
  ): Promise<void> {
    const response = this.inFlight.add(outgoing);
    const result = await responding;
    this.inFlight.remove(response);
    // To look whether the client is still there takes less time than to listen for that.
    if (outgoing.destroyed) {
      this.#observer.ended(incoming, result.isDone ? result.record : new RequestRecord(), outgoing);
    } else if (result.isDone) this.#recordAtOnce(incoming, outgoing, result.record);
    else this.#respondInFull(incoming, outgoing, result.found, false);
  }

  #respondInFull(
    incoming: ApiRequest,
    outgoing: Outgoing,
    found: FastPathFindings,
    isTraced: boolean,
  ): void {
    const { addressOf, headersTimeoutMilliseconds, responseHeaders } = this.#settings;
    const { socket } = incoming;
    const bindings = createBindings(incoming, outgoing, addressOf(incoming), found);
    const { record } = bindings;
    this.#recordAtEnd(incoming, outgoing, record);
    if (this.#refused.has(socket)) return;
    outgoing.setHeader('x-request-id', incoming.requestId);
    responseHeaders(incoming, outgoing);
    // Whether a client that got a refusal instead of 100 sends its body nevertheless is not known (RFC 9110, 10.1.1).
    if (this.#isDraining || incoming.expectsContinue) outgoing.setHeader('connection', 'close');
    if (!incoming.readableEnded) dropUnreadBody(incoming, outgoing, headersTimeoutMilliseconds);
    const problem = brokenRule(incoming);
    if (problem === null) {
      this.#observer.pass(incoming, record, () => this.#enterApp(bindings), isTraced);
    } else {
      this.#refused.add(socket);
      void this.#refuse(bindings, problem);
    }
  }

  /** Makes the function by which a request enters the app. */
  #createEntrance(app: Pick<Hono<ApiEnvironment>, 'fetch'>): (bindings: ApiBindings) => unknown {
    /** Those of the request that enters: the listener hands it on before it first waits. */
    let entering: ApiBindings | undefined;
    const listener = getRequestListener((request) => app.fetch(request, entering), {
      // It would close the connection half a second after the response, whatever still comes.
      autoCleanupIncoming: false,
      // Thrown before there is a request to hand on: its target or its Host is not valid.
      errorHandler: async () => {
        const problem = new Problem('malformed-request', 'The URL or the Host is not valid.');
        const bindings = entering;
        if (bindings === undefined) return problem.toResponse(undefined);
        const shown = await this.#countedRefusal(bindings, problem);
        return shown.toResponse(bindings.incoming.requestId);
      },
    });
    return (bindings) => {
      entering = bindings;
      return listener(bindings.incoming, bindings.outgoing);
    };
  }

  /** Responds to what breaks the rules for messages: it never gets to the app. */
  async #refuse(bindings: ApiBindings, problem: Problem): Promise<void> {
    const { incoming, outgoing } = bindings;
    const shown = await this.#countedRefusal(bindings, problem);
    const body = JSON.stringify(shown.details(incoming.requestId));
    outgoing.writeHead(shown.status, {
      ...problem.headers,
      ...shown.headers,
      'content-length': Buffer.byteLength(body),
    });
    outgoing.end(body);
  }

  async #countedRefusal({ address, record }: ApiBindings, problem: Problem): Promise<Problem> {
    const shown = (await this.#settings.countRefused?.(address)) ?? problem;
    record.problem = shown.slug;
    return shown;
  }

  #recordAtOnce(incoming: ApiRequest, outgoing: Outgoing, record: Readonly<RequestRecord>): void {
    if (isSent(incoming, outgoing)) {
      this.#observer.responded(incoming, record, outgoing.statusCode);
    } else this.#recordAtEnd(incoming, outgoing, record);
  }

  #recordAtEnd(incoming: ApiRequest, outgoing: Outgoing, record: Readonly<RequestRecord>): void {
    const response = this.inFlight.add(outgoing);
    outgoing.once('close', () => {
      this.inFlight.remove(response);
      this.#observer.ended(incoming, record, outgoing);
    });
  }
}

/** Whether the system has taken all of a response, as it does unless the client is slow to read. */
function isSent({ socket }: ApiRequest, outgoing: Outgoing): boolean {
  return outgoing.writableLength === 0 && socket.errored === null;
}

/** A response that is in flight, between its neighbours in the list. */
export interface ResponseInFlight {
  readonly outgoing: ServerResponse<ApiRequest>;
  previous: ResponseInFlight | null;
  next: ResponseInFlight | null;
}

/**
 * The responses that are not sent yet, linked by hand. A `Set` would do, were it not for its tables: V8 makes a new one for every few dozen
 * responses that come and go, and each old one points to the next. Once a collection finds one of them in use, all that come after are kept, with the
 * requests in them, until a full collection: collections of young objects then take five times as long (measured with `--trace-gc`).
 */
export class ResponsesInFlight {
  #first: ResponseInFlight | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns what `remove` takes. */
  add(outgoing: ServerResponse<ApiRequest>): ResponseInFlight {
    const added: ResponseInFlight = { outgoing, previous: null, next: this.#first };
    if (this.#first !== null) this.#first.previous = added;
    this.#first = added;
    this.#size += 1;
    return added;
  }

  /** To be called once for what was added. */
  remove(response: ResponseInFlight): void {
    const { next, previous } = response;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next !== null) next.previous = previous;
    response.next = null;
    response.previous = null;
    this.#size -= 1;
  }

  *[Symbol.iterator](): Generator<ServerResponse<ApiRequest>> {
    for (let response = this.#first; response !== null; response = response.next)
      yield response.outgoing;
  }
}
