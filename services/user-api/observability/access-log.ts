import type { ServerResponse } from 'node:http';
import type { ApiRequest } from '../http/environment.ts';
import type { Logger } from './logger.ts';

/** Where no route answered: a path is what a client likes, and may hold anything. */
const NO_ROUTE = 'none';

/**
 * Writes the one line of a request, after its answer has been sent or the client has gone. Never the URL: ids of people are in
 * its path, and what they search for is in its query.
 */
export function logAccess(
  logger: Logger,
  incoming: ApiRequest,
  outgoing: ServerResponse<ApiRequest>,
): void {
  logger.info(
    {
      requestId: incoming.requestId,
      method: incoming.method,
      route: incoming.route ?? NO_ROUTE,
      status: outgoing.statusCode,
      durationMilliseconds: Number((performance.now() - incoming.receivedAt).toFixed(3)),
      ...(outgoing.writableFinished ? {} : { aborted: true }),
    },
    'request',
  );
}
