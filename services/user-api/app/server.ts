import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { type ApiBindings, type ApiEnvironment, ApiRequest } from '../http/environment.ts';
import { ListenError } from '../http/listen-error.ts';
import { brokenRule } from '../http/message-rules.ts';
import { Problem } from '../http/problem.ts';
import type { ResponseHeaders } from '../http/response-headers.ts';
import { ResponsesInFlight } from '../http/responses-in-flight.ts';
import { dropUnreadBody } from '../http/unread-body.ts';
import { clientProblem, HEADERS_MAXIMUM_BYTES, refuseByHand } from '../http/unreadable-request.ts';
import type { RequestObserver } from '../observability/requests/request-observer.ts';
import type { FastPath } from './fast-path/fast-path.ts';

/** A client that takes longer for the whole of a request of at most some 64 KiB is not served, be it that nothing reads the body. */
const REQUEST_TIMEOUT_MILLISECONDS = 30_000;
/** A client sends its first request as soon as it has the connection: a server that closes waits so long for it. */
const FIRST_REQUEST_MILLISECONDS = 500;
/** Node.js looks for requests beyond their time so many times within the time for headers: by a fifth of it one may be late. */
const TIMEOUT_CHECKS = 5;

export interface ApiServerSettings {
  /** How long an idle connection stays open; longer than the idle timeout of the load balancer in front. */
  readonly keepAliveTimeoutMilliseconds: number;
  /**
   * How long a client may take for the headers of a request, from its first byte on, or from the opening of the connection; and to end a body that
   * was refused.
   */
  readonly headersTimeoutMilliseconds: number;
  /** How long after the first byte of a request its response must have been taken by the client, or the connection is cut within a fifth more. */
  readonly responseTimeoutMilliseconds: number;
  /** Sets what every response has. */
  readonly responseHeaders: ResponseHeaders;
  /** Counts what is refused before there is a route; gives what to answer in its place. @default nothing is counted */
  readonly countRefused?: (incoming: ApiRequest) => Promise<Problem | null>;
  /** Asked first; see there. @default none */
  readonly fastPath?: FastPath | null;
}

/** The HTTP server of the API, and the order in which it lets go of its clients. */
export class ApiServer {
  readonly #server: Server<typeof ApiRequest>;
  readonly #connections = new Set<Socket>();
  readonly #inFlight = new ResponsesInFlight();
  readonly #responseTimeoutMilliseconds: number;
  /** Connections on which nothing is read as a request any more: where the refused one ended, nobody can tell. */
  readonly #refused = new WeakSet<Socket>();
  #closing = false;

  constructor(
    app: Pick<Hono<ApiEnvironment>, 'fetch'>,
    observer: RequestObserver,
    settings: ApiServerSettings,
  ) {
    const fastPath = settings.fastPath ?? undefined;
    const { headersTimeoutMilliseconds } = settings;
    this.#responseTimeoutMilliseconds = settings.responseTimeoutMilliseconds;
    const listener = getRequestListener((request, env) => app.fetch(request, env as ApiBindings), {
      // It would close the connection half a second after the response, whatever still comes.
      autoCleanupIncoming: false,
      // Thrown before there is a request to hand on: its target or its Host is not valid.
      errorHandler: async () => {
        const incoming = atHand;
        const problem = new Problem('malformed-request', 'The URL or the Host is not valid.');
        const shown = (incoming && (await settings.countRefused?.(incoming))) ?? problem;
        if (incoming !== undefined) incoming.problem = shown.slug;
        return shown.toResponse(incoming?.requestId);
      },
    });
    // Errors of that kind are handled before the listener first waits.
    let atHand: ApiRequest | undefined;
    const listen = (incoming: ApiRequest, outgoing: ServerResponse<ApiRequest>) => {
      atHand = incoming;
      return listener(incoming, outgoing);
    };
    const refuse = async (
      incoming: ApiRequest,
      outgoing: ServerResponse<ApiRequest>,
      problem: Problem,
    ) => {
      const shown = (await settings.countRefused?.(incoming)) ?? problem;
      incoming.problem = shown.slug;
      const body = JSON.stringify(shown.details(incoming.requestId));
      outgoing.writeHead(shown.status, {
        ...problem.headers,
        ...shown.headers,
        'content-length': Buffer.byteLength(body),
      });
      outgoing.end(body);
    };
    const respondInFull = (
      incoming: ApiRequest,
      outgoing: ServerResponse<ApiRequest>,
      isChosen: boolean,
    ) => {
      if (this.#refused.has(incoming.socket)) return;
      outgoing.setHeader('x-request-id', incoming.requestId);
      settings.responseHeaders(incoming, outgoing);
      // Whether a client that got a refusal instead of 100 sends its body nevertheless is not known (RFC 9110, 10.1.1).
      if (this.#closing || incoming.expectsContinue) {
        outgoing.setHeader('connection', 'close');
      }
      if (!incoming.readableEnded) dropUnreadBody(incoming, outgoing, headersTimeoutMilliseconds);
      const problem = brokenRule(incoming);
      if (problem !== null) {
        this.#refused.add(incoming.socket);
        void refuse(incoming, outgoing, problem);
        return;
      }
      observer.pass(incoming, outgoing, listen, isChosen);
    };
    const countAtItsEnd = (incoming: ApiRequest, outgoing: ServerResponse<ApiRequest>) => {
      const response = this.#inFlight.add(outgoing);
      outgoing.once('close', () => {
        this.#inFlight.remove(response);
        observer.ended(incoming, outgoing);
      });
    };
    /** Looks at the end whether the client is still there: to listen for that takes longer than to look. */
    const respondedLater = async (
      incoming: ApiRequest,
      outgoing: ServerResponse<ApiRequest>,
      responding: Promise<boolean>,
    ) => {
      const response = this.#inFlight.add(outgoing);
      const hasResponse = await responding;
      this.#inFlight.remove(response);
      if (outgoing.destroyed) observer.ended(incoming, outgoing);
      else if (hasResponse && isSent(incoming, outgoing)) {
        observer.responded(incoming, outgoing.statusCode);
      } else {
        countAtItsEnd(incoming, outgoing);
        if (!hasResponse) respondInFull(incoming, outgoing, false);
      }
    };
    this.#server = createServer({
      IncomingMessage: ApiRequest,
      keepAliveTimeout: settings.keepAliveTimeoutMilliseconds,
      headersTimeout: settings.headersTimeoutMilliseconds,
      // Node.js takes none that is shorter than that of the headers.
      requestTimeout: Math.max(REQUEST_TIMEOUT_MILLISECONDS, settings.headersTimeoutMilliseconds),
      connectionsCheckingInterval: Math.ceil(settings.headersTimeoutMilliseconds / TIMEOUT_CHECKS),
      maxHeaderSize: HEADERS_MAXIMUM_BYTES,
      // The listener refuses a request without one, as a problem.
      requireHostHeader: false,
      noDelay: true,
      // A request that announces no body need not end: the events of a stream that does cost more than all features of a hit.
      optimizeEmptyRequests: true,
    });
    const handleRequest = (incoming: ApiRequest, outgoing: ServerResponse<ApiRequest>) => {
      // It came behind one that was the last on its connection.
      if (incoming.socket.writableEnded) return;
      const isChosen = observer.chooses();
      const mayBeFast = !isChosen && !this.#closing && fastPath !== undefined;
      const hasResponse = mayBeFast && fastPath(incoming, outgoing);
      if (hasResponse instanceof Promise) {
        void respondedLater(incoming, outgoing, hasResponse);
      } else if (hasResponse && isSent(incoming, outgoing)) {
        observer.responded(incoming, outgoing.statusCode);
      } else {
        countAtItsEnd(incoming, outgoing);
        if (!hasResponse) respondInFull(incoming, outgoing, isChosen);
      }
    };
    this.#server.on('request', handleRequest);
    // Without these, Node.js would say 100 at once, and would answer other expectations without a problem.
    this.#server.on('checkContinue', handleRequest);
    this.#server.on('checkExpectation', handleRequest);
    this.#server.on('connect', (_: ApiRequest, socket: Socket) =>
      refuseByHand(
        socket,
        new Problem('method-not-allowed', 'CONNECT is not taken here.'),
        headersTimeoutMilliseconds,
      ),
    );
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === 'ECONNRESET' || socket.destroyed) socket.destroy();
      else if (!this.#refused.has(socket))
        refuseByHand(socket, clientProblem(error.code), headersTimeoutMilliseconds);
    });
    this.#server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  /** Requests whose response is not sent yet. */
  get requestsInFlight(): number {
    return this.#inFlight.size;
  }

  /** Connections that are open, in use or idle. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * @param port - 0 for any free one.
   * @returns the port it listens on.
   * @throws {@link ListenError} naming the port or the host, and what to do.
   */
  listen(host: string, port: number): Promise<number> {
    const cutting = setInterval(
      () => this.#cutSlowReaders(),
      Math.ceil(this.#responseTimeoutMilliseconds / TIMEOUT_CHECKS),
    ).unref();
    this.#server.once('close', () => clearInterval(cutting));
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException) => reject(new ListenError({ host, port }, error));
      this.#server.once('error', fail);
      this.#server.listen(port, host, () => {
        this.#server.off('error', fail);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** From now on each response is the last on its connection, so that clients come back on a new one: to another process, if there is one. */
  drain(): void {
    this.#closing = true;
    // Without this header a client would use the connection again, and find it closed.
    for (const outgoing of this.#inFlight) {
      if (!outgoing.headersSent) outgoing.setHeader('connection', 'close');
    }
  }

  /**
   * Takes no new connections, closes the idle ones, and those in use after the response that is in flight.
   *
   * @param timeoutMilliseconds - longest wait for requests in flight.
   * @returns whether all of them ended in time; if not, they have been cut.
   */
  async close(timeoutMilliseconds: number): Promise<boolean> {
    this.drain();
    const closed = new Promise<boolean>((resolve) => {
      this.#server.close(() => resolve(true));
    });
    // Node.js closes connections between two requests, but waits for those that have not had a first one, which may be on its way.
    const unused = [...this.#connections].filter(({ bytesRead }) => bytesRead === 0);
    const closing = setTimeout(() => {
      for (const socket of unused) if (socket.bytesRead === 0) socket.destroy();
    }, FIRST_REQUEST_MILLISECONDS);
    const cut = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => {
      this.cut();
      cut.resolve(false);
    }, timeoutMilliseconds);
    const inTime = await Promise.race([closed, cut.promise]);
    clearTimeout(timer);
    clearTimeout(closing);
    return inTime;
  }

  /** Ends all connections at once. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  /** Node.js waits for ever for a client that does not read. */
  #cutSlowReaders(): void {
    const latest = performance.now() - this.#responseTimeoutMilliseconds;
    for (const { req } of this.#inFlight) if (req.receivedAt < latest) req.socket.destroy();
  }
}

/** Whether the system has taken all of a response, as it does unless the client is slow to read. */
function isSent({ socket }: ApiRequest, outgoing: ServerResponse<ApiRequest>): boolean {
  return outgoing.writableLength === 0 && socket.errored === null;
}
