import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import { describe, expect, it } from 'vitest';
import { mountOperations } from '../../../../services/user-api/app/app.ts';
import {
  type ApiBindings,
  type ApiEnvironment,
  createBindings,
} from '../../../../services/user-api/http/environment.ts';
import {
  deprecationOf,
  withDeprecation,
} from '../../../../services/user-api/reference/deprecation.ts';
import {
  openApiRoute,
  referencePageRoute,
} from '../../../../services/user-api/reference/operations.ts';

const table = {
  'GET /docs': {
    since: new Date('2026-01-01T00:00:00Z'),
    sunset: new Date('2026-07-01T00:00:00Z'),
    information: 'https://example.com/news',
  },
};
const operations = [
  {
    route: referencePageRoute,
    handler: () => new Response('page', { headers: { link: '</next>; rel="next"' } }),
  },
  { route: openApiRoute, handler: () => new Response('document') },
];

describe('an operation', () => {
  it('that the table names, responds with when it ends, beside its own links', async () => {
    const app = new OpenAPIHono<ApiEnvironment>();
    mountOperations(app, withDeprecation(operations, table));
    const listener = getRequestListener((request, env) => {
      const { incoming, outgoing } = env as ApiBindings;
      return app.fetch(request, createBindings(incoming, outgoing, '127.0.0.1'));
    });
    const server = createServer(listener).listen(0, '127.0.0.1');
    try {
      await new Promise((resolve) => server.once('listening', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { headers } = await fetch(`${url}/docs`);
      expect(headers.get('deprecation')).toBe('@1767225600');
      expect(headers.get('sunset')).toBe('Wed, 01 Jul 2026 00:00:00 GMT');
      expect(headers.get('link')).toBe(
        '</next>; rel="next", <https://example.com/news>; rel="deprecation"',
      );
      const other = await fetch(`${url}/openapi.json`);
      expect([other.headers.get('deprecation'), other.headers.get('link')]).toEqual([null, null]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('that it does not name, is left as it was', () => {
    expect(withDeprecation(operations, {})).toEqual(operations);
    expect(deprecationOf(openApiRoute, table)).toBeUndefined();
  });
});
