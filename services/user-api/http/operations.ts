import type { RouteConfig } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ApiEnvironment } from './environment.ts';

/** Responds to a request. */
export type ApiHandler = (context: Context<ApiEnvironment>) => Response | Promise<Response>;

/** One method at one path: its description, as made by `createRoute`, and its handler. */
export interface Operation {
  readonly route: RouteConfig & { getRoutingPath(): string };
  readonly handler: ApiHandler;
}
