import type { ServerResponse } from 'node:http';
import type { CoherentReader, LoadedResource } from '../cache/coherent-reader.ts';
import type { DerivedRepresentation, NearCache } from '../cache/near-cache.ts';
import { asText, type SerializedBytes } from '../cache/serialized-response.ts';
import type { RequestAddressFinder } from '../client-address/client-address.ts';
import { withinDeadline } from '../http/deadline.ts';
import type { ApiRequest, FastPathFindings } from '../http/environment.ts';
import { matchesEntityTag } from '../http/request-headers.ts';
import type { CacheMetrics } from '../observability/metrics/counters.ts';
import { RequestRecord } from '../observability/requests/request-observer.ts';
import type { CheckedRequest, RateLimitHeaders } from '../rate-limit/decision.ts';
import type { Admission } from './admission.ts';
import { createResponseWriter, type ResponseWriterParts } from './write-response.ts';

export interface FastPathParts extends ResponseWriterParts {
  readonly near: Pick<NearCache, 'get' | 'derive'>;
  readonly reader: Pick<CoherentReader, 'read'>;
  readonly metrics: CacheMetrics;
  readonly addressOf: RequestAddressFinder;
  readonly admission: Pick<Admission, 'countAnonymousReadNow'>;
  /** What everybody may see of a resource. */
  readonly representation: DerivedRepresentation;
  /** What stands before the id in a path, with the slash. */
  readonly prefixes: readonly string[];
  /** Pattern of the route, for logs and metrics. */
  readonly route: string;
  /** Longest that a request may take. */
  readonly deadlineMilliseconds: number;
}

type Outgoing = ServerResponse<ApiRequest>;

/** The fast path has responded, or nobody is left to respond to. */
export interface Responded {
  readonly isDone: true;
  readonly record: Readonly<RequestRecord>;
}

/** The response is untouched: the full path goes on with what has been found out. */
export interface PassedOn {
  readonly isDone: false;
  readonly found: FastPathFindings;
}

export type FastPathResult = Responded | PassedOn;

export const NOTHING_FOUND: PassedOn = { isDone: false, found: {} };

/** Responds to a request at once, or later, or passes it on to the full path. */
export type FastPath = (
  incoming: ApiRequest,
  outgoing: Outgoing,
) => FastPathResult | Promise<FastPathResult>;

/**
 * Answers GET by id: out of the near cache in the listener of node:http, before Hono and before any promise; else after what the reader of all
 * caches brings. It knows eligible requests only; whatever else there is about one (another method, a query, credentials, a header that is not
 * known to be harmless) is the full path's, as is every refusal, and everything that is not there. So it need not know how errors look, and its
 * responses have the bytes of the full path's, which a test compares.
 */
export function createFastPath(parts: FastPathParts): FastPath {
  const { addressOf, admission, deadlineMilliseconds, metrics, near, prefixes, reader } = parts;
  const { representation, route } = parts;
  const areEligible = createHeaderCheck();
  const write = createResponseWriter(parts);
  const respondedBy = (fromCache: boolean): Responded => {
    return { isDone: true, record: Object.assign(new RequestRecord(), { route, fromCache }) };
  };
  const byCache = respondedBy(true);
  const byDatabase = respondedBy(false);

  function respond(
    incoming: ApiRequest,
    outgoing: Outgoing,
    limit: RateLimitHeaders,
    bytes: SerializedBytes,
  ): void {
    const { receivedAt: now, requestId } = incoming;
    const known = incoming.headers['if-none-match'];
    const status = known !== undefined && matchesEntityTag(known, bytes.etag) ? 304 : 200;
    write(outgoing, { status, requestId, now, limit, bytes });
  }

  /** What has been read is usually in the near cache by now, and the next one finds there what is made of it here. */
  function bytesOf(id: number, { body, version }: LoadedResource): SerializedBytes {
    const entry = near.get(id);
    const kept = entry?.version === version ? near.derive(entry, representation) : null;
    if (kept !== null) return kept;
    const text = representation.textOf(asText(body));
    return { text, length: String(text.length), etag: `"${representation.tagOf(version)}"` };
  }

  async function readFirst(
    id: number,
    incoming: ApiRequest,
    outgoing: Outgoing,
    counted: CheckedRequest,
  ): Promise<FastPathResult> {
    const bounded = { incoming, changes: undefined };
    const reading = withinDeadline(bounded, reader.read(id), deadlineMilliseconds);
    let resource: LoadedResource | null = null;
    try {
      resource = await reading;
    } catch {
      // The full path meets the same error, and makes a problem of it.
    }
    // Nobody is left to respond to.
    if (outgoing.destroyed) return byDatabase;
    // While the server drains, the full path closes the connection.
    if (resource === null || outgoing.hasHeader('connection')) {
      return { isDone: false, found: { counted, reading } };
    }
    respond(incoming, outgoing, counted.headers, bytesOf(id, resource));
    return resource.fromCache === true ? byCache : byDatabase;
  }

  return (incoming, outgoing) => {
    if (incoming.method !== 'GET') return NOTHING_FOUND;
    const id = idIn(incoming.url ?? '', prefixes);
    if (id === 0 || incoming.httpVersionMinor !== 1 || !outgoing.shouldKeepAlive) {
      return NOTHING_FOUND;
    }
    if (!areEligible(incoming.rawHeaders)) return NOTHING_FOUND;
    const entry = near.get(id);
    const bytes = entry && near.derive(entry, representation);
    if (bytes === null) return NOTHING_FOUND;
    const counted = admission.countAnonymousReadNow(addressOf(incoming));
    if (counted === undefined) return NOTHING_FOUND;
    if (!counted.decision.allowed) return { isDone: false, found: { counted } };
    if (bytes === undefined) return readFirst(id, incoming, outgoing, counted);
    metrics.nearHits += 1;
    respond(incoming, outgoing, counted.headers, bytes);
    return byCache;
  };
}

/**
 * All headers that an eligible request has. Which header changes a response is known of these alone, so that a feature that reads another one need
 * not know of the fast path: a request with that header is not eligible.
 */
const ELIGIBLE_HEADERS: readonly string[] = [
  // Read by the fast path itself, as the full path does.
  'host',
  'if-none-match',
  'x-forwarded-for',
  'x-request-id',
  // Obeyed by Node.js.
  'connection',
  'keep-alive',
  // There is one form of a user, uncompressed.
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  // A shared cache may obey them; an origin need not (RFC 9111, 5.2.1).
  'cache-control',
  'pragma',
  // Who is asking, and what for.
  'dnt',
  'priority',
  'referer',
  'sec-ch-ua',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'sec-gpc',
  'upgrade-insecure-requests',
  'user-agent',
  // What CloudFront and the load balancer add.
  'via',
  'x-amz-cf-id',
  'x-amzn-trace-id',
  'x-forwarded-port',
  'x-forwarded-proto',
];

/** Names are looked up as they are written; other ways to write one are learned, up to this many in all. */
const NAMES_MAXIMUM = 256;

/** Hosts that the full path takes as they are; others it looks into, and refuses some. */
const ELIGIBLE_HOST = /^[a-z0-9._-]+(?::(?:[1-5]\d{3,4}|[6-9]\d{3}))?$/;

/** As many digits as a safe integer can have. */
const ID_MAXIMUM_DIGITS = 16;
const ZERO = 0x30;

/**
 * Makes the function that checks the headers of a request, names and values in turn as they came: in an eligible one each name is in the list, and
 * there is one Host.
 */
export function createHeaderCheck(): (raw: readonly string[]) => boolean {
  const names = new Set(ELIGIBLE_HEADERS);
  let eligibleHost = '';

  const isEligibleName = (name: string): boolean => {
    if (names.has(name)) return true;
    if (!names.has(name.toLowerCase())) return false;
    if (names.size < NAMES_MAXIMUM) names.add(name);
    return true;
  };
  const isEligibleHost = (host: string): boolean => {
    if (host === eligibleHost) return true;
    if (!ELIGIBLE_HOST.test(host)) return false;
    eligibleHost = host;
    return true;
  };

  return (raw) => {
    let hosts = 0;
    for (let index = 0; index < raw.length; index += 2) {
      const name = raw[index] ?? '';
      if (!isEligibleName(name)) return false;
      if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
      hosts += 1;
      if (!isEligibleHost(raw[index + 1] ?? '')) return false;
    }
    return hosts === 1;
  };
}

/** The id that a path ends with, after one of `prefixes`; 0 when it is no path of a resource. */
export function idIn(url: string, prefixes: readonly string[]): number {
  for (const prefix of prefixes) if (url.startsWith(prefix)) return idFrom(url, prefix.length);
  return 0;
}

function idFrom(url: string, start: number): number {
  const digits = url.length - start;
  if (digits === 0 || digits > ID_MAXIMUM_DIGITS || url.charCodeAt(start) === ZERO) return 0;
  let id = 0;
  for (let index = start; index < url.length; index += 1) {
    const digit = url.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return 0;
    id = id * 10 + digit;
  }
  return id <= Number.MAX_SAFE_INTEGER ? id : 0;
}
