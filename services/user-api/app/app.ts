import { METHODS } from 'node:http';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { USERS_ALIASES, USERS_PATH } from '../../contracts/users.ts';
import type { Authentication } from '../auth/authentication.ts';
import { type ProtectedOperation, permissionOf, protect } from '../auth/authorization.ts';
import { createHealthOperations, type HealthMonitor } from '../health/health.ts';
import { createJsonBodyReader } from '../http/body.ts';
import type { CursorSigner } from '../http/cursor.ts';
import { withDeadline } from '../http/deadline.ts';
import type { ApiEnvironment } from '../http/environment.ts';
import type { ApiHandler, Operation } from '../http/operations.ts';
import { Problem } from '../http/problem.ts';
import { createProblemPageOperations } from '../http/problem-pages.ts';
import { isConditional, namesStrongTag } from '../http/request-headers.ts';
import type { Logger } from '../observability/logger.ts';
import { policyOf } from '../rate-limit/default-policies.ts';
import { withDeprecation } from '../reference/deprecation.ts';
import { describeRoute } from '../reference/describe-route.ts';
import { createOpenApiDocument } from '../reference/document.ts';
import type { OpenApiDocument } from '../reference/open-api.ts';
import { createReferenceOperations } from '../reference/operations.ts';
import { createUserOperations } from '../users/handlers.ts';
import type { PersonalDataExporter } from '../users/personal-data.ts';
import type { Users } from '../users/users.ts';
import type { Admission } from './admission.ts';
import { createErrorHandler } from './error-handler.ts';

export interface AppParts {
  readonly users: Users;
  readonly personalData: PersonalDataExporter;
  readonly health: HealthMonitor;
  readonly authentication: Pick<Authentication, 'operations'>;
  readonly admission: Pick<Admission, 'admit' | 'callerOf'>;
  readonly cursors: CursorSigner;
  readonly logger: Logger;
  /** Where clients reach the API, without a slash at its end. */
  readonly publicUrl: string;
  /** Largest body that is read, in bytes. */
  readonly bodyLimitBytes: number;
  /** Longest that a request may take. */
  readonly deadlineMilliseconds: number;
}

function aliasesOf(path: string): string[] {
  if (!path.startsWith(USERS_PATH)) return [];
  return USERS_ALIASES.map((alias) => path.replace(USERS_PATH, alias));
}

/** All that the API can be asked for. */
export function createOperations(
  parts: Omit<AppParts, 'logger' | 'deadlineMilliseconds' | 'publicUrl'>,
): ProtectedOperation[] {
  const readBody = createJsonBodyReader(parts.bodyLimitBytes);
  return [
    ...createUserOperations({ ...parts, readBody }),
    ...parts.authentication.operations(readBody),
    ...createHealthOperations(parts.health),
    ...createProblemPageOperations(),
  ];
}

/** The OpenAPI document of what {@link createApp} made. */
export function describeApp(
  app: OpenAPIHono<ApiEnvironment>,
  publicUrl: AppParts['publicUrl'],
): OpenApiDocument {
  return createOpenApiDocument(app, { aliases: { [USERS_PATH]: USERS_ALIASES }, publicUrl });
}

/**
 * The HTTP app: which operation is at which path. A request on the full path (./pipeline.ts) passes, in this order:
 *
 * 1. the router
 * 2. the deadline
 * 3. admission (./admission.ts): who asks, and the rate limit of that client
 * 4. the table of permissions (../auth/permissions.ts): a route without a row is refused to everybody
 * 5. preconditions ({@link withPreconditions})
 * 6. one handler, which reads what it needs of the request
 *
 * There is no middleware: steps 2 to 5 are functions around the handler, which answer without a promise where nothing has to be waited for, as
 * most reads do.
 */
export function createApp(parts: AppParts) {
  const { admission, deadlineMilliseconds, logger } = parts;
  const app = new OpenAPIHono<ApiEnvironment>();
  app.onError(createErrorHandler(logger));
  // What is looked for in vain costs as much as what is found.
  const admitAsRead = ({ env }: Context<ApiEnvironment>) => admission.admit(env, 'reads');
  app.notFound(async (context) => {
    await admitAsRead(context);
    throw new Problem('route-not-found', 'Nothing is served at this path.');
  });

  const described = [
    ...createOperations(parts),
    ...createReferenceOperations(() => describeApp(app, parts.publicUrl)),
  ].map((operation) => ({
    ...withPreconditions(operation),
    route: describeRoute(operation.route, {
      permission: permissionOf(operation),
      policy: policyOf(operation.route),
    }),
  }));
  const protectedOperations = protect(described, (route) => {
    const policy = policyOf(route);
    return ({ env }) => admission.admit(env, policy);
  });
  const bounded = withDeadline(protectedOperations, deadlineMilliseconds);
  mountOperations(app, withDeprecation(bounded), aliasesOf, admitAsRead);
  return app;
}

/** Marks the request with its route's pattern, for logs; not a middleware, because one would cost each request a promise. */
function onRoute(pattern: string, handler: ApiHandler): ApiHandler {
  return (context) => {
    context.env.record.route = pattern;
    return handler(context);
  };
}

function allowedMethods(operations: readonly Operation[]): string[] {
  const methods = operations.map(({ route }) => route.method.toUpperCase());
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
}

/**
 * Adds operations to the app and to its OpenAPI document. At each of their paths, OPTIONS answers with the methods that
 * there are, and every other method with 405; HEAD goes to GET's handler, as Hono does by itself.
 *
 * @param aliasesOf - further paths that answer as `path` does, in Hono's syntax. They stay out of the document.
 * @param admit - lets in what no operation does: OPTIONS, and methods that are not taken.
 */
export function mountOperations(
  app: OpenAPIHono<ApiEnvironment>,
  operations: readonly Operation[],
  aliasesOf: (path: string) => readonly string[] = () => [],
  admit: (context: Context<ApiEnvironment>) => unknown = () => undefined,
): void {
  const byPath = Map.groupBy(operations, ({ route }) => route.path);
  for (const [pattern, there] of byPath) {
    const allow = allowedMethods(there).join(', ');
    const paths = there
      .slice(0, 1)
      .flatMap(({ route }) => [route.getRoutingPath(), ...aliasesOf(route.getRoutingPath())]);
    for (const { route, handler } of there) {
      app.openAPIRegistry.registerPath(route);
      app.on([route.method.toUpperCase()], paths, onRoute(pattern, handler));
    }
    const options: ApiHandler = async (context) => {
      await admit(context);
      return new Response(null, { status: 204, headers: { allow } });
    };
    app.on(['OPTIONS'], paths, onRoute(pattern, options));
    const refuse: ApiHandler = async (context) => {
      await admit(context);
      const { req } = context;
      throw new Problem('method-not-allowed', `${req.method} is not taken here; ${allow} are.`, {
        headers: { allow },
      });
    };
    // Not app.all: a path on which two handlers match leaves Hono's way for a single one, which is the fast one.
    const others = METHODS.filter((method) => !allow.split(', ').includes(method));
    app.on(others, paths, onRoute(pattern, refuse));
  }
}

const PRECONDITION_FAILED = '412';

/** @throws {@link Problem} precondition-failed */
function requireMatch(response: Response, wanted: string): Response {
  if (response.status !== 200 && response.status !== 304) return response;
  const etag = response.headers.get('etag');
  if (wanted.trim() === '*' || (etag !== null && namesStrongTag(wanted, etag))) return response;
  const has = etag === null ? 'has no ETag' : `has the ETag ${etag}`;
  throw new Problem('precondition-failed', `If-Match does not name what is here, which ${has}.`, {
    headers: etag === null ? {} : { etag },
  });
}

/**
 * Leaves no precondition unheeded (RFC 9110, 13.2): what is read is compared with If-Match (operations themselves compare it with If-None-Match); a change
 * that says nothing of 412 has no preconditions, and one that comes is refused, because to ignore it would do what the client did not want.
 */
export function withPreconditions(operation: ProtectedOperation): ProtectedOperation {
  const { handler, route } = operation;
  if (PRECONDITION_FAILED in route.responses) return operation;
  if (route.method !== 'get') {
    return {
      ...operation,
      handler: (context, identity) => {
        if (isConditional(context.env.incoming.headers)) {
          const detail = 'This operation has no preconditions: leave out If-Match and the like.';
          throw new Problem('precondition-failed', detail);
        }
        return handler(context, identity);
      },
    };
  }
  return {
    ...operation,
    handler: (context, identity) => {
      const response = handler(context, identity);
      const wanted = context.env.incoming.headers['if-match'];
      if (wanted === undefined) return response;
      return response instanceof Promise
        ? response.then((settled) => requireMatch(settled, wanted))
        : requireMatch(response, wanted);
    },
  };
}
