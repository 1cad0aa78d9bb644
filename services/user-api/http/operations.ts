import { METHODS } from 'node:http';
import type { OpenAPIHono, RouteConfig } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ApiEnvironment } from './environment.ts';
import { Problem } from './problem.ts';

/** What answers a request. */
export type ApiHandler = (context: Context<ApiEnvironment>) => Response | Promise<Response>;

/** One method at one path: its description, as made by `createRoute`, and what answers it. */
export interface Operation {
  readonly route: RouteConfig & { getRoutingPath(): string };
  readonly handler: ApiHandler;
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
