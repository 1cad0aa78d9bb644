import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { ProblemDetails } from '../../contracts/problem.ts';

export interface Route {
  /** Paths of the load balancer's rules: `*` is any text, `?` any character; case counts. */
  readonly pathPatterns: readonly string[];
  /** Order in which routes are tried: lowest first. */
  readonly priority: number;
  readonly port: number;
}

export interface RouterOptions {
  readonly host: string;
  readonly port: number;
  readonly routes: readonly Route[];
  /** Port on loopback for requests that no route takes. */
  readonly fallbackPort: number;
}

export interface Router {
  readonly port: number;
  stop(): Promise<void>;
}

/** A pattern of a listener rule (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html#path-conditions). */
function expressionOf(pattern: string): RegExp {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

/** Header fields that belong to one connection (RFC 9110, 7.6.1); those of the other connection are Node.js' own. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade']);
const FORWARDED_FOR = 'x-forwarded-for';

/** Names and values in turns, without the fields in `left`. */
function fieldsWithout(left: (name: string) => boolean, rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => !left((rawHeaders[index & ~1] ?? '').toLowerCase()));
}

function forwardedHeaders({ rawHeaders, headersDistinct, socket }: IncomingMessage): string[] {
  const fields = fieldsWithout(
    (name) => name === FORWARDED_FOR || HOP_BY_HOP.has(name),
    rawHeaders,
  );
  const addresses = [...(headersDistinct[FORWARDED_FOR] ?? []), socket.remoteAddress ?? ''];
  return [...fields, 'X-Forwarded-For', addresses.join(', ')];
}

function refuse(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const problem: ProblemDetails = {
    type: '/problems/bad-gateway',
    title: 'Bad gateway',
    status: 502,
    detail: 'The service for this path does not respond.',
  };
  response.writeHead(502, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify(problem));
}

/** Routes by path, as the load balancer on AWS: by the first rule that matches, with the client's address appended to X-Forwarded-For. */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const agent = new Agent({ keepAlive: true });
  const routes = options.routes
    .toSorted((first, second) => first.priority - second.priority)
    .map(({ pathPatterns, port }) => ({ expressions: pathPatterns.map(expressionOf), port }));
  const portFor = (target: string) => {
    const path = target.replace(/\?.*/s, '');
    const route = routes.find(({ expressions }) => expressions.some((one) => one.test(path)));
    return route?.port ?? options.fallbackPort;
  };
  const server = createServer((incoming, response) => {
    const target = incoming.url ?? '/';
    const sent = request({
      agent,
      host: '127.0.0.1',
      port: portFor(target),
      path: target,
      headers: forwardedHeaders(incoming),
      ...(incoming.method !== undefined && { method: incoming.method }),
    });
    sent.on('response', (received) => {
      response.writeHead(
        received.statusCode ?? 502,
        received.statusMessage,
        fieldsWithout((name) => HOP_BY_HOP.has(name), received.rawHeaders),
      );
      pipeline(received, response, () => {});
    });
    sent.on('error', () => refuse(response));
    // A closed connection of the client cancels its request.
    response.on('close', () => sent.destroy());
    incoming.pipe(sent);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(options.port, options.host, resolve);
  await promise;
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    async stop() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeIdleConnections();
      agent.destroy();
      await closed.promise;
    },
  };
}
