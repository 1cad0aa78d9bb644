import { vi } from 'vitest';
import { readEnvironment } from '../../../../../../services/contracts/environment/read.ts';
import { createApp } from '../../../../../../services/user-api/app/app.ts';
import {
  createDependencies,
  type Dependencies,
} from '../../../../../../services/user-api/app/dependencies.ts';
import type { FastPathResult } from '../../../../../../services/user-api/app/fast-path.ts';
import { ApiServer } from '../../../../../../services/user-api/app/server.ts';
import { createUserFastPath } from '../../../../../../services/user-api/app/service.ts';
import {
  constantHeaders,
  createResponseHeaders,
} from '../../../../../../services/user-api/http/response-headers.ts';
import { createLogger } from '../../../../../../services/user-api/observability/logger.ts';
import { RequestObserver } from '../../../../../../services/user-api/observability/requests/request-observer.ts';
import { variables } from '../../../../../../services/user-api/settings/settings.ts';
import type { TestDatabase } from '../../../../../support/database.ts';
import { SERVICE_SECRET, testEnvironment } from '../../../support/api.ts';

/** A service, with the fast path or without it. */
export interface Side {
  readonly port: number;
  readonly dependencies: Dependencies;
  readonly observer: RequestObserver;
  readonly server: ApiServer;
  /** Statuses of what the fast path has answered. */
  readonly responded: number[];
  /** Every line that the service has logged, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  stop(): Promise<void>;
}

export interface SideOptions {
  readonly database: Pick<TestDatabase, 'writerUrl'>;
  readonly redisUrl: string;
  readonly hasFastPath: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

/** Starts a service as `startService` does, but that it may lack the fast path. Its near cache is open when it is there. */
export async function startSide(options: SideOptions): Promise<Side> {
  process.env.AWS_ACCESS_KEY_ID ??= 'test';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'test';
  const settings = readEnvironment(variables, await testEnvironment(options));
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(settings, { write: (line) => void log.push(JSON.parse(line)) });
  const observer = new RequestObserver({
    logger,
    tracer: null,
    traceRatio: 0,
    oneHitIn: settings.ACCESS_LOG_ONE_HIT_IN,
    slowRequestMilliseconds: settings.SLOW_REQUEST_MILLISECONDS,
  });
  const dependencies = await createDependencies(settings, logger);
  await dependencies.start();
  const publicUrl = settings.ACCESS_TOKEN_ISSUER;
  const headers = { publicUrl, allowedOrigins: settings.CORS_ALLOWED_ORIGINS };
  const keepAliveTimeoutMilliseconds = settings.KEEP_ALIVE_TIMEOUT_MILLISECONDS;
  const fastPath = createUserFastPath({
    caching: dependencies.userCaching,
    addressOf: dependencies.addressOf,
    admission: dependencies.admission,
    constant: constantHeaders(headers),
    keepAliveTimeoutMilliseconds,
    deadlineMilliseconds: settings.REQUEST_DEADLINE_MILLISECONDS,
  });
  if (fastPath === null) throw new Error('Reading a user has to be open to everybody');
  const responded: number[] = [];
  const app = createApp({
    ...dependencies,
    logger,
    publicUrl,
    bodyLimitBytes: settings.REQUEST_BODY_LIMIT_BYTES,
    deadlineMilliseconds: settings.REQUEST_DEADLINE_MILLISECONDS,
  });
  const server = new ApiServer(app, observer, {
    keepAliveTimeoutMilliseconds,
    responseTimeoutMilliseconds: 60_000,
    headersTimeoutMilliseconds: settings.REQUEST_HEADERS_TIMEOUT_MILLISECONDS,
    responseHeaders: createResponseHeaders(headers),
    addressOf: dependencies.addressOf,
    fastPath: !options.hasFastPath
      ? null
      : (incoming, outgoing) => {
          const note = (result: FastPathResult) => {
            if (result.isDone) responded.push(outgoing.statusCode);
            return result;
          };
          const response = fastPath(incoming, outgoing);
          return response instanceof Promise ? response.then(note) : note(response);
        },
  });
  const port = await server.listen('127.0.0.1', 0);
  await vi.waitUntil(() => dependencies.userCaching.near.isOpen, { timeout: 5_000 });
  return {
    port,
    dependencies,
    observer,
    server,
    responded,
    log,
    async stop() {
      await server.close(1_000);
      await dependencies.close();
    },
  };
}

/** So many that no test reaches it, and over so long that what remains is the same a moment later. */
const LIMITS = 'reads=5000/86400';

/** Two services on the same database and Redis: the first with the fast path, the other without, each with limits and memory of its own. */
export async function startSides(
  options: Pick<SideOptions, 'database' | 'redisUrl'>,
  environment: Readonly<Record<string, string>> = {},
): Promise<[Side, Side]> {
  const start = (name: string, hasFastPath: boolean) =>
    startSide({
      ...options,
      hasFastPath,
      environment: {
        RATE_LIMITS: LIMITS,
        // Other names in Redis, so that what one counts does not change what the other answers.
        RATE_LIMIT_KEY_SECRET: `${name} ${SERVICE_SECRET}`,
        ...environment,
      },
    });
  return await Promise.all([start('fast', true), start('full', false)]);
}

/** Has the services read a user, who is then in their memory for some seconds. */
export async function keepInMemory(sides: readonly Side[], id: number): Promise<void> {
  for (const { dependencies } of sides) {
    const { userCaching, users } = dependencies;
    // Nobody waits for what is read to be kept.
    await vi.waitUntil(
      async () => {
        await users.get(id);
        return userCaching.near.get(id) !== undefined;
      },
      { timeout: 5_000 },
    );
  }
}

/** How many reads passed and how many were refused, whether Redis or this process decided, which depends on how soon Redis replied. */
export function readDecisions({ dependencies }: Side): { allowed: number; refused: number } {
  const sources = Object.values(dependencies.sources.rateLimits.limiters.reads?.counts ?? {});
  return {
    allowed: sources.reduce((sum, { allowed }) => sum + allowed, 0),
    refused: sources.reduce((sum, { refused }) => sum + refused, 0),
  };
}
