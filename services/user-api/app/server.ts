import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Hono } from 'hono';
import { type ApiEnvironment, ApiRequest } from '../http/environment.ts';
import { ListenError } from '../http/listen-error.ts';
import { clientProblem, HEADERS_MAXIMUM_BYTES, refuseByHand } from '../http/message-rules.ts';
import { Problem } from '../http/problem.ts';
import type { RequestObserver } from '../observability/requests/request-observer.ts';
import { type PipelineSettings, RequestPipeline } from './pipeline.ts';

/** A client that takes longer for the whole of a request of at most some 64 KiB is not served, be it that nothing reads the body. */
const REQUEST_TIMEOUT_MILLISECONDS = 30_000;
/** A client sends its first request as soon as it has the connection: a server that closes waits so long for it. */
const FIRST_REQUEST_MILLISECONDS = 500;
/** Node.js looks for requests beyond their time so many times within the time for headers: by a fifth of it one may be late. */
const TIMEOUT_CHECKS = 5;

export interface ApiServerSettings extends PipelineSettings {
  /** How long an idle connection stays open; longer than the idle timeout of the load balancer in front. */
  readonly keepAliveTimeoutMilliseconds: number;
  /**
   * How long a client may take for the headers of a request, from its first byte on, or from the opening of the connection; and to end a body that
   * was refused.
   */
  readonly headersTimeoutMilliseconds: number;
  /** How long after the first byte of a request its response must have been taken by the client, or the connection is cut within a fifth more. */
  readonly responseTimeoutMilliseconds: number;
}

/** The HTTP server of the API: its connections, and the order in which it lets go of its clients. ./pipeline.ts responds to them. */
export class ApiServer {
  readonly #server: Server<typeof ApiRequest>;
  readonly #pipeline: RequestPipeline;
  readonly #connections = new Set<Socket>();
  readonly #responseTimeoutMilliseconds: number;

  constructor(
    app: Pick<Hono<ApiEnvironment>, 'fetch'>,
    observer: RequestObserver,
    settings: ApiServerSettings,
  ) {
    const { headersTimeoutMilliseconds } = settings;
    this.#responseTimeoutMilliseconds = settings.responseTimeoutMilliseconds;
    this.#pipeline = new RequestPipeline(app, observer, settings);
    this.#server = createServer({
      IncomingMessage: ApiRequest,
      keepAliveTimeout: settings.keepAliveTimeoutMilliseconds,
      headersTimeout: headersTimeoutMilliseconds,
      // Node.js takes none that is shorter than that of the headers.
      requestTimeout: Math.max(REQUEST_TIMEOUT_MILLISECONDS, headersTimeoutMilliseconds),
      connectionsCheckingInterval: Math.ceil(headersTimeoutMilliseconds / TIMEOUT_CHECKS),
      maxHeaderSize: HEADERS_MAXIMUM_BYTES,
      // The pipeline refuses a request without one, as a problem.
      requireHostHeader: false,
      noDelay: true,
      // A request that announces no body need not end: the events of a stream that does cost more than all features of a hit.
      optimizeEmptyRequests: true,
    });
    this.#server.on('request', this.#pipeline.handle);
    // Without these, Node.js would say 100 at once, and would answer other expectations without a problem.
    this.#server.on('checkContinue', this.#pipeline.handle);
    this.#server.on('checkExpectation', this.#pipeline.handle);
    this.#server.on('connect', (_: ApiRequest, socket: Socket) =>
      refuseByHand(
        socket,
        new Problem('method-not-allowed', 'CONNECT is not taken here.'),
        headersTimeoutMilliseconds,
      ),
    );
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === 'ECONNRESET' || socket.destroyed) socket.destroy();
      else if (!this.#pipeline.hasRefused(socket))
        refuseByHand(socket, clientProblem(error.code), headersTimeoutMilliseconds);
    });
    this.#server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  /** Requests whose response is not sent yet. */
  get requestsInFlight(): number {
    return this.#pipeline.inFlight.size;
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
    this.#pipeline.drain();
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
    for (const { req } of this.#pipeline.inFlight)
      if (req.receivedAt < latest) req.socket.destroy();
  }
}
