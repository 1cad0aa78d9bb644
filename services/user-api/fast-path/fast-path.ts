import type { ServerResponse } from 'node:http';
import type { CacheMetrics } from '../cache/cache-metrics.ts';
import type { DerivedRepresentation, NearCache } from '../cache/near-cache.ts';
import type { Admission } from '../http/admission.ts';
import type { ApiRequest } from '../http/environment.ts';
import { matchesEntityTag } from '../http/preconditions.ts';
import { createResponseWriter, type ReadyResponseParts } from './ready-response.ts';
import { createHeaderCheck, idIn } from './usual-request.ts';

export interface FastPathParts extends ReadyResponseParts {
  readonly near: Pick<NearCache, 'get' | 'derive'>;
  readonly metrics: CacheMetrics;
  readonly admission: Pick<Admission, 'countAnonymousReadNow'>;
  /** What everybody may see of a resource. */
  readonly representation: DerivedRepresentation;
  /** What stands before the id in a path, with the slash. */
  readonly prefixes: readonly string[];
  /** Pattern of the route, for logs and metrics. */
  readonly route: string;
}

/** Answers a request at once, or does nothing to the answer and returns false: then the full path answers it. */
export type FastPath = (incoming: ApiRequest, outgoing: ServerResponse<ApiRequest>) => boolean;

/**
 * Answers GET by id out of the near cache, in the listener of node:http: before Hono, before any promise. It knows the
 * usual request only; whatever is unusual about one (another method, a query, credentials, a header that is not known to be harmless) is the
 * full path's, as is everything that is not in the near cache, and every refusal. So it need not know how errors look, and its answers have the
 * bytes of the full path's, which a test compares.
 */
export function createFastPath(parts: FastPathParts): FastPath {
  const { admission, metrics, near, prefixes, representation, route } = parts;
  const areUsual = createHeaderCheck();
  const write = createResponseWriter(parts);
  return (incoming, outgoing) => {
    if (incoming.method !== 'GET') return false;
    const id = idIn(incoming.url ?? '', prefixes);
    if (id === 0 || incoming.httpVersionMinor !== 1 || !outgoing.shouldKeepAlive) return false;
    if (!areUsual(incoming.rawHeaders)) return false;
    const entry = near.get(id);
    const bytes = entry && near.derive(entry, representation);
    if (!bytes) return false;
    const counted = admission.countAnonymousReadNow(incoming);
    incoming.counted = counted;
    if (counted?.decision.allowed !== true) return false;

    metrics.nearHits += 1;
    incoming.route = route;
    incoming.nearHit = true;
    const known = incoming.headers['if-none-match'];
    const status = known !== undefined && matchesEntityTag(known, bytes.etag) ? 304 : 200;
    write(outgoing, {
      status,
      requestId: incoming.requestId,
      now: incoming.receivedAt,
      limit: counted.headers,
      bytes,
    });
    return true;
  };
}
