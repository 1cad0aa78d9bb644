import type { Hono } from 'hono';
import { ApiServer, type ApiServerSettings } from '../../../../../services/user-api/app/server.ts';
import type { ApiEnvironment } from '../../../../../services/user-api/http/environment.ts';
import type { Logger } from '../../../../../services/user-api/observability/logger.ts';
import { RequestObserver } from '../../../../../services/user-api/observability/requests/request-observer.ts';

/** A server with nothing but `app` behind it, whose timeouts are a minute. */
export function createApiServer(
  app: Hono<ApiEnvironment>,
  logger: Logger,
  settings: Partial<ApiServerSettings> = {},
): ApiServer {
  const observer = new RequestObserver({
    logger,
    tracer: null,
    traceRatio: 0,
    oneHitIn: 1,
    slowRequestMilliseconds: 60_000,
  });
  return new ApiServer(app, observer, {
    keepAliveTimeoutMilliseconds: 60_000,
    headersTimeoutMilliseconds: 60_000,
    responseTimeoutMilliseconds: 60_000,
    responseHeaders: () => {},
    addressOf: () => '127.0.0.1',
    ...settings,
  });
}
