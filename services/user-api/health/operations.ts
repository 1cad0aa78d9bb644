import { createRoute, z } from '@hono/zod-openapi';
import { cacheControl } from '../cache/cache-control.ts';
import type { Operation } from '../http/operations.ts';
import type { HealthMonitor } from './health.ts';

const health = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    parts: z.record(z.string(), z.enum(['up', 'down', 'absent'])),
  })
  .meta({ id: 'Health' });
const liveness = z.object({ status: z.literal('alive') }).meta({ id: 'Liveness' });
const readiness = z.object({ status: z.enum(['ready', 'not ready']) }).meta({ id: 'Readiness' });

const json = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { 'application/json': { schema } },
});

function response(status: number, body: object): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': cacheControl.moment },
  });
}

export function createHealthOperations(monitor: HealthMonitor): Operation[] {
  return [
    {
      route: createRoute({
        method: 'get',
        path: '/health',
        summary: 'How the service and what it depends on are',
        responses: {
          200: json('Reads can be answered; something else may be down', health),
          503: json('No server of the database answers', health),
        },
      }),
      handler: async () => {
        const summary = await monitor.summary();
        return response(summary.status === 'down' ? 503 : 200, summary);
      },
    },
    {
      route: createRoute({
        method: 'get',
        path: '/health/live',
        summary: 'Whether the process runs; if it does not answer, replace it',
        responses: { 200: json('It does', liveness) },
      }),
      handler: () => response(200, { status: 'alive' }),
    },
    {
      route: createRoute({
        method: 'get',
        path: '/health/ready',
        summary: 'Whether to send requests to this process',
        responses: {
          200: json('Yes', readiness),
          503: json('No: it is starting, or shutting down', readiness),
        },
      }),
      handler: async () =>
        (await monitor.isReady())
          ? response(200, { status: 'ready' })
          : response(503, { status: 'not ready' }),
    },
  ];
}
