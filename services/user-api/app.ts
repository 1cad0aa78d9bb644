import { OpenAPIHono } from '@hono/zod-openapi';
import type { HealthMonitor } from './health/health.ts';
import { createHealthOperations } from './health/operations.ts';
import { createJsonBodyReader } from './http/body.ts';
import type { ApiEnvironment } from './http/environment.ts';
import { answerNotFound, createErrorHandler } from './http/error-handler.ts';
import { mountOperations } from './http/operations.ts';
import { createProblemPageOperations } from './http/problem-pages.ts';
import type { Logger } from './observability/logger.ts';
import { createUserOperations } from './users/handlers.ts';
import { USERS_PATH } from './users/routes.ts';
import type { Users } from './users/users.ts';

export interface AppParts {
  readonly users: Users;
  readonly health: HealthMonitor;
  readonly logger: Logger;
  /** Largest body that is read, in bytes. */
  readonly bodyLimitBytes: number;
}

/**
 * The newest version answers without its number too, and the singular does as well as the plural, so that the addresses which
 * load tests are usually written with work.
 */
const usersAliases = ['/api/v1/user', '/api/users', '/api/user'];

/**
 * The HTTP app: what answers at which path.
 *
 * A request passes, in this order: the server (./http/server.ts: its access log line, the request id, the length of the URL), the router
 * below, and one handler, which reads what it needs of the request. There is no middleware, because each one costs every request
 * promises and the adapter's fast path. Whatever is thrown on the way comes to the one error handler.
 */
export function createApp({ users, health, logger, bodyLimitBytes }: AppParts) {
  const app = new OpenAPIHono<ApiEnvironment>();
  app.onError(createErrorHandler(logger));
  app.notFound(answerNotFound);

  mountOperations(app, createUserOperations(users, createJsonBodyReader(bodyLimitBytes)), (path) =>
    usersAliases.map((alias) => path.replace(USERS_PATH, alias)),
  );
  mountOperations(app, createHealthOperations(health));
  mountOperations(app, createProblemPageOperations());
  return app;
}
