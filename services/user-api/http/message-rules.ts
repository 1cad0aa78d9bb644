import type { Socket } from 'node:net';
import type { ApiRequest } from './environment.ts';
import { Problem } from './problem.ts';
import { securityHeaders } from './response-headers.ts';

/** All headers of a request together, in bytes. */
export const HEADERS_MAXIMUM_BYTES = 16_384;

/** The problem of a request that Node.js could not read as HTTP. */
export function clientProblem(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const detail = `The headers may be ${HEADERS_MAXIMUM_BYTES} bytes long together.`;
    return new Problem('headers-too-large', detail);
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem('request-timeout', 'The request did not arrive in time.');
  }
  return new Problem('malformed-request', 'The request is not valid HTTP.');
}

/**
 * Answers where Node.js has no request to answer: by hand, and as the last on the connection. It is cut when the client has not closed it in time:
 * to close it while the client still sends would reset it, and with it goes the response.
 */
export function refuseByHand(socket: Socket, problem: Problem, milliseconds: number): void {
  // What comes after what was refused is refused again.
  if (socket.writableEnded) return;
  const details = problem.details(undefined);
  const body = JSON.stringify(details);
  const headers = {
    ...securityHeaders,
    ...problem.headers,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${details.title}\r\n${head.join('')}\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), milliseconds).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}

/** Longest path and query together, in characters. */
export const URL_MAXIMUM_LENGTH = 2_048;

/** A proxy may believe another one of two than we do (RFC 9110, 5.3): it would see another request than the one we answer. */
const SINGLE_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-type',
  'host',
]);

/**
 * What of the rules for messages (RFC 9112) a request breaks that Node.js lets pass; null for none. Node.js itself refuses what is ambiguous
 * about the end of a body and the lines of a head.
 */
export function brokenRule(incoming: ApiRequest): Problem | null {
  const { length } = incoming.url ?? '';
  if (length > URL_MAXIMUM_LENGTH) {
    const detail = `The path and query are ${length} characters long; ${URL_MAXIMUM_LENGTH} are read at most.`;
    return new Problem('uri-too-long', detail, CLOSED);
  }
  const repeated = repeatedField(incoming.rawHeaders);
  if (repeated !== null) {
    return new Problem('malformed-request', `There is more than one ${repeated} field.`, CLOSED);
  }
  const { expect, host, 'transfer-encoding': coding } = incoming.headers;
  const isCurrent = incoming.httpVersionMinor > 0;
  if (isCurrent && host === undefined) {
    return new Problem('malformed-request', 'There is no Host field.', CLOSED);
  }
  if (host !== undefined && host !== '' && hostOf(`http://${host}/`) === null) {
    return new Problem('malformed-request', 'The Host is not valid.', CLOSED);
  }
  if (!takeTarget(incoming)) {
    const detail = 'The target of the request is neither a path nor a URL of http or https.';
    return new Problem('malformed-request', detail, CLOSED);
  }
  if (coding !== undefined && !isCurrent) {
    const detail = 'Transfer-Encoding cannot be used in HTTP/1.0; send Content-Length.';
    return new Problem('malformed-request', detail, CLOSED);
  }
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    const detail = 'The only Transfer-Encoding that is read is chunked.';
    return new Problem('transfer-coding-unsupported', detail, CLOSED);
  }
  if (isCurrent && expect !== undefined && expect.toLowerCase() !== '100-continue') {
    const detail = 'The only expectation that can be met is 100-continue.';
    return new Problem('expectation-failed', detail, CLOSED);
  }
  return null;
}

/** Where the host is missing, URL takes the next part of the path for it. */
const HTTP_URL = /^https?:\/\/[^/?#\\]/i;

/** The URL, if it is one of http or https that names nothing before its host; null otherwise. */
function httpUrl(text: string): URL | null {
  const url = HTTP_URL.test(text) ? URL.parse(text) : null;
  if (url === null) return null;
  return url.username === '' && url.password === '' ? url : null;
}

/** The host and port of a URL that has nothing else; null for any other text. */
function hostOf(text: string): string | null {
  const url = httpUrl(text);
  return url !== null && url.pathname === '/' && url.search === '' && url.hash === ''
    ? url.host
    : null;
}

/**
 * Takes a target that is a whole URL apart, which counts instead of the Host (RFC 9112, 3.2.2), so that everything behind sees one form.
 *
 * @returns false where the target is none.
 */
function takeTarget(incoming: ApiRequest): boolean {
  const { url: target = '' } = incoming;
  if (target.startsWith('/') || target === '*') return true;
  const url = httpUrl(target);
  if (url === null) return false;
  incoming.url = url.pathname + url.search;
  incoming.headers.host = url.host;
  return true;
}

/** Where its request ends is not sure. */
const CLOSED = { headers: { connection: 'close' } } as const;

function repeatedField(raw: readonly string[]): string | null {
  const seen = new Set<string>();
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]?.toLowerCase() ?? '';
    if (!SINGLE_FIELDS.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}
