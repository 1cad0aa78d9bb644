import type { ServerResponse } from 'node:http';
import type { SerializedBytes } from '../cache/serialized-response.ts';
import type { ApiRequest } from '../http/environment.ts';
import type { RateLimitHeaders } from '../rate-limit/decision.ts';

/** A header field: its name in lower case, and its value. */
export type Field = readonly [name: string, value: string];

export interface ResponseWriterParts {
  /** What every response has, in the order in which it is sent; a field further on replaces one of the same name where that stands. */
  readonly constant: readonly Field[];
  readonly contentType: string;
  /** What every response with the resource has, before its ETag. */
  readonly caching: readonly Field[];
  /** How long the server keeps an idle connection, sent in whole seconds. */
  readonly keepAliveTimeoutMilliseconds: number;
}

/** What differs from response to response. */
export interface ResponseValues {
  readonly status: 200 | 304;
  readonly requestId: string;
  /** In milliseconds of `performance.now()`. */
  readonly now: number;
  readonly limit: RateLimitHeaders;
  readonly bytes: SerializedBytes;
}

export type ResponseWriter = (
  outgoing: ServerResponse<ApiRequest>,
  response: ResponseValues,
) => void;

/**
 * What Node.js keeps of a response besides what it documents: the head as it is sent, and whether a body follows. `writeHead` makes the
 * head again of its fields for each response, checks each of them again, and so takes longer than all features together (docs/performance.md).
 */
interface Head {
  _header: string | null;
  _hasBody: boolean;
}

/** Stands in a head for what differs from response to response; no header can hold it. */
const HOLE = '\0';

/** The head of responses, with holes. As `setHeader` has it, a field that comes again takes the place of the one before. */
function headOf(
  statusLine: string,
  keepAliveTimeoutMilliseconds: number,
  ...fields: readonly (readonly Field[])[]
): string {
  const all: readonly Field[] = [
    ...new Map(fields.flat()),
    ['Date', HOLE],
    ['Connection', 'keep-alive'],
    ['Keep-Alive', `timeout=${Math.floor(keepAliveTimeoutMilliseconds / 1_000)}`],
  ];
  return [statusLine, ...all.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
}

const SECOND = 1_000;

/** The value of Date at a moment of `performance.now()`: made once a second, when the clock is asked. */
function createClock(): (now: number) => string {
  let text = '';
  let until = Number.NEGATIVE_INFINITY;
  return (now) => {
    if (now >= until) {
      const time = Date.now();
      text = new Date(time).toUTCString();
      until = performance.now() + SECOND - (time % SECOND);
    }
    return text;
  };
}

/**
 * Makes the function that writes a response whose head is serialized but for some holes: it fills them, and gives head and body to Node.js in one piece.
 * To be used for HTTP/1.1 and connections that stay open only.
 */
export function createResponseWriter(parts: ResponseWriterParts): ResponseWriter {
  const { caching, constant, contentType, keepAliveTimeoutMilliseconds: keepAlive } = parts;
  const before: readonly Field[] = [
    ['x-request-id', HOLE],
    ...constant,
    ['ratelimit-policy', HOLE],
    ['ratelimit', HOLE],
  ];
  const etag: Field = ['etag', HOLE];
  const [
    start = '',
    toPolicy = '',
    toLimit = '',
    toTag = '',
    toLength = '',
    toDate = '',
    end = '',
  ] = headOf('HTTP/1.1 200 OK', keepAlive, before, [['content-type', contentType]], caching, [
    etag,
    ['content-length', HOLE],
  ]).split(HOLE);
  const [notModified = '', , , limitToTag = '', tagToDate = ''] = headOf(
    'HTTP/1.1 304 Not Modified',
    keepAlive,
    before,
    caching,
    [etag],
  ).split(HOLE);
  const date = createClock();

  return (outgoing, { bytes, limit, now, requestId, status }) => {
    const message = outgoing as ServerResponse<ApiRequest> & Head;
    const counted = `${requestId}${toPolicy}${limit['ratelimit-policy']}${toLimit}${limit.ratelimit}`;
    outgoing.statusCode = status;
    if (status === 304) {
      message._header = `${notModified}${counted}${limitToTag}${bytes.etag}${tagToDate}${date(now)}${end}`;
      message._hasBody = false;
      outgoing.end();
    } else {
      message._header = `${start}${counted}${toTag}${bytes.etag}${toLength}${bytes.length}${toDate}${date(now)}${end}`;
      outgoing.end(bytes.text, 'latin1');
    }
  };
}
