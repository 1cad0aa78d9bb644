import { setTimeout as wait } from 'node:timers/promises';
import { USERS_ALIASES, USERS_PATH } from '../../contracts/users.ts';
import { decide, permissionOf } from '../auth/authorization.ts';
import { ANONYMOUS } from '../auth/identity.ts';
import { constantHeaders, createResponseHeaders } from '../http/response-headers.ts';
import { JSON_MEDIA_TYPE } from '../http/route-parts.ts';
import { type InternalServer, startInternalServer } from '../internal/internal-server.ts';
import type { Logger } from '../observability/logger.ts';
import { createObservability } from '../observability/observability.ts';
import { policyOf } from '../rate-limit/default-policies.ts';
import { deprecationOf } from '../reference/deprecation.ts';
import type { Settings } from '../settings/settings.ts';
import { cachingFields } from '../users/handlers.ts';
import { publicRepresentation } from '../users/representations.ts';
import { getUserRoute } from '../users/routes.ts';
import type { UserCaching } from '../users/user-caching.ts';
import { createApp } from './app.ts';
import { createDependencies, type DependencyOptions } from './dependencies.ts';
import { createFastPath, type FastPath, type FastPathParts } from './fast-path.ts';
import { ApiServer } from './server.ts';

export interface RunningService {
  /** The port it listens on. */
  readonly port: number;
  /** The port of metrics and diagnostics; null when there is none. */
  readonly internalPort: number | null;
  /**
   * Stops in an order that no request notices: readiness fails, and each response closes its connection; the delay, in which load balancers find
   * out; no new connections; the rest are closed after the responses in flight; then everything behind.
   *
   * @returns whether all requests in flight were answered; if not, they have been cut.
   */
  stop(): Promise<boolean>;
  /** Cuts all connections, for those who cannot wait for `stop`. */
  cut(): void;
}

/**
 * Starts the user API. It answers, with what works, even while things it depends on are down.
 *
 * @throws `EnvironmentError` when variables don't go together, `UnusableSigningKeys` and `PolicyError` for what is in one, `ListenError`
 * when the port cannot be had.
 */
export async function startService(
  settings: Settings,
  logger: Logger,
  options: DependencyOptions = {},
): Promise<RunningService> {
  const observability = await createObservability(settings, logger);
  const { observer, tracer } = observability;
  const dependencies = await createDependencies(settings, logger, { ...options, tracer });
  const { addressOf, admission, health, userCaching } = dependencies;
  const app = createApp({
    ...dependencies,
    logger,
    publicUrl: settings.ACCESS_TOKEN_ISSUER.replace(/\/+$/, ''),
    bodyLimitBytes: settings.REQUEST_BODY_LIMIT_BYTES,
    deadlineMilliseconds: settings.REQUEST_DEADLINE_MILLISECONDS,
  });
  const keepAliveTimeoutMilliseconds = settings.KEEP_ALIVE_TIMEOUT_MILLISECONDS;
  const responseHeaderSettings = {
    publicUrl: settings.ACCESS_TOKEN_ISSUER,
    allowedOrigins: settings.CORS_ALLOWED_ORIGINS,
  };
  const server = new ApiServer(app, observer, {
    keepAliveTimeoutMilliseconds,
    headersTimeoutMilliseconds: settings.REQUEST_HEADERS_TIMEOUT_MILLISECONDS,
    responseTimeoutMilliseconds:
      settings.REQUEST_DEADLINE_MILLISECONDS + settings.REQUEST_HEADERS_TIMEOUT_MILLISECONDS,
    addressOf,
    countRefused: (address) => admission.countRefused(address),
    responseHeaders: createResponseHeaders(responseHeaderSettings),
    fastPath: createUserFastPath({
      caching: userCaching,
      addressOf,
      admission,
      constant: constantHeaders(responseHeaderSettings),
      keepAliveTimeoutMilliseconds,
      deadlineMilliseconds: settings.REQUEST_DEADLINE_MILLISECONDS,
    }),
  });
  let port: number;
  let internal: InternalServer | null = null;
  try {
    const sources = { ...dependencies.sources, requests: observer.metrics, server, tracer };
    internal = await startInternalServer(settings, logger, sources);
    await dependencies.start();
    port = await server.listen(settings.HOST, settings.PORT);
  } catch (error) {
    await internal?.close();
    await dependencies.close();
    await observability.close();
    throw error;
  }
  logger.info({ host: settings.HOST, port }, 'Listening');
  return {
    port,
    internalPort: internal?.port ?? null,
    async stop() {
      health.drain();
      server.drain();
      logger.info({ delayMilliseconds: settings.SHUTDOWN_DELAY_MILLISECONDS }, 'Draining');
      await wait(settings.SHUTDOWN_DELAY_MILLISECONDS);
      const inTime = await server.close(settings.SHUTDOWN_TIMEOUT_MILLISECONDS);
      await dependencies.close();
      await observability.close();
      await internal?.close();
      return inTime;
    },
    cut: () => server.cut(),
  };
}

/**
 * The fast path of GET by id, at all the paths where the handler answers it; null where that has something about it which the fast path does
 * not know: that not everybody may ask, that it is not counted as a read, or that it is deprecated.
 */
export function createUserFastPath({
  caching: { metrics, near, reader },
  ...others
}: Pick<
  FastPathParts,
  'addressOf' | 'admission' | 'constant' | 'deadlineMilliseconds' | 'keepAliveTimeoutMilliseconds'
> & {
  readonly caching: Pick<UserCaching, 'metrics' | 'near' | 'reader'>;
}): FastPath | null {
  // The full path sends the headers of a deprecation.
  if (deprecationOf(getUserRoute) !== undefined) return null;
  const permission = permissionOf({ route: getUserRoute });
  if (permission === undefined || decide(permission, ANONYMOUS, undefined) !== 'allowed')
    return null;
  if (policyOf(getUserRoute) !== 'reads') return null;
  return createFastPath({
    ...others,
    near,
    metrics,
    reader,
    representation: publicRepresentation,
    prefixes: [USERS_PATH, ...USERS_ALIASES].map((path) => `${path}/`),
    route: getUserRoute.path,
    contentType: JSON_MEDIA_TYPE,
    caching: cachingFields('public'),
  });
}
