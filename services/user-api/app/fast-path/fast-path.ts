import type { ServerResponse } from 'node:http';
import type { CoherentReader, LoadedResource } from '../../cache/coherent-reader.ts';
import type { DerivedRepresentation, NearCache } from '../../cache/near-cache.ts';
import { asText, type SerializedBytes } from '../../cache/serialized-response.ts';
import { withinDeadline } from '../../http/deadline.ts';
import type { ApiRequest } from '../../http/environment.ts';
import { matchesEntityTag } from '../../http/preconditions.ts';
import type { CacheMetrics } from '../../observability/metrics/cache-counters.ts';
import type { RateLimitHeaders } from '../../rate-limit/headers.ts';
import type { Admission } from '../admission.ts';
import { createHeaderCheck, idIn } from './eligible-request.ts';
import { createResponseWriter, type ReadyResponseParts } from './write-response.ts';

export interface FastPathParts extends ReadyResponseParts {
  readonly near: Pick<NearCache, 'get' | 'derive'>;
  readonly reader: Pick<CoherentReader, 'read'>;
  readonly metrics: CacheMetrics;
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

/**
 * Answers a request at once, or later, or does nothing to the response: then, with false, the full path answers it, with what has been found
 * out by then in the request.
 */
export type FastPath = (incoming: ApiRequest, outgoing: Outgoing) => boolean | Promise<boolean>;

/**
 * Answers GET by id: out of the near cache in the listener of node:http, before Hono and before any promise; else after what the reader of all
 * caches brings. It knows the usual request only; whatever is unusual about one (another method, a query, credentials, a header that is not
 * known to be harmless) is the full path's, as is every refusal, and everything that is not there. So it need not know how errors look, and its
 * answers have the bytes of the full path's, which a test compares.
 */
export function createFastPath(parts: FastPathParts): FastPath {
  const { admission, deadlineMilliseconds, metrics, near, prefixes, reader, route } = parts;
  const { representation } = parts;
  const areEligible = createHeaderCheck();
  const write = createResponseWriter(parts);

  function response(
    incoming: ApiRequest,
    outgoing: Outgoing,
    limit: RateLimitHeaders,
    bytes: SerializedBytes,
  ): true {
    const { receivedAt: now, requestId } = incoming;
    const known = incoming.headers['if-none-match'];
    const status = known !== undefined && matchesEntityTag(known, bytes.etag) ? 304 : 200;
    write(outgoing, { status, requestId, now, limit, bytes });
    return true;
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
    limit: RateLimitHeaders,
  ): Promise<boolean> {
    incoming.route = route;
    incoming.reading = withinDeadline(incoming, reader.read(id), deadlineMilliseconds);
    let found: LoadedResource | null;
    try {
      found = await incoming.reading;
    } catch {
      return false;
    }
    // Nobody is left to answer.
    if (outgoing.destroyed) return true;
    // A server that closes tells clients so.
    if (found === null || outgoing.hasHeader('connection')) return false;
    incoming.fromCache = found.fromCache === true;
    return response(incoming, outgoing, limit, bytesOf(id, found));
  }

  return (incoming, outgoing) => {
    if (incoming.method !== 'GET') return false;
    const id = idIn(incoming.url ?? '', prefixes);
    if (id === 0 || incoming.httpVersionMinor !== 1 || !outgoing.shouldKeepAlive) return false;
    if (!areEligible(incoming.rawHeaders)) return false;
    const entry = near.get(id);
    const bytes = entry && near.derive(entry, representation);
    if (bytes === null) return false;
    const counted = admission.countAnonymousReadNow(incoming);
    incoming.counted = counted;
    if (counted?.decision.allowed !== true) return false;
    if (bytes === undefined) return readFirst(id, incoming, outgoing, counted.headers);
    metrics.nearHits += 1;
    incoming.route = route;
    incoming.fromCache = true;
    return response(incoming, outgoing, counted.headers, bytes);
  };
}
