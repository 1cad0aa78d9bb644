import { METHODS } from 'node:http';
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { describe, expect, it } from 'vitest';
import { mountOperations } from '../../../../services/user-api/app/app.ts';
import type { ApiEnvironment } from '../../../../services/user-api/http/environment.ts';
import { Problem } from '../../../../services/user-api/http/problem.ts';
import { RequestRecord } from '../../../../services/user-api/observability/requests/request-observer.ts';

const routeOf = (method: 'delete' | 'get' | 'patch', path: string) =>
  createRoute({ method, path, responses: { 200: { description: 'Done' } } });

/** An app with `operations`, which notes the pattern that it gives to a request and whether it admitted one. */
function mount(aliases?: (path: string) => readonly string[]) {
  const admitted: string[] = [];
  const app = new OpenAPIHono<ApiEnvironment>();
  app.onError((error) =>
    error instanceof Problem ? error.toResponse('id') : Promise.reject(error),
  );
  const operations = [
    { route: routeOf('get', '/things/{id}'), handler: () => new Response('get') },
    { route: routeOf('delete', '/things/{id}'), handler: () => new Response('delete') },
    { route: routeOf('patch', '/parts/{id}'), handler: () => new Response('patch') },
  ];
  if (aliases === undefined) mountOperations(app, operations);
  else mountOperations(app, operations, aliases, ({ req }) => admitted.push(req.method));
  const send = async (method: string, path: string) => {
    const record = new RequestRecord();
    const response = await app.fetch(new Request(`http://a${path}`, { method }), { record });
    return { response, text: await response.text(), route: record.route };
  };
  return { admitted, app, send };
}

describe('mountOperations', () => {
  it('hands a request to the operation of its method and path, and marks it with the pattern', async () => {
    const { admitted, send } = mount(() => []);
    expect(await send('GET', '/things/7')).toMatchObject({ text: 'get', route: '/things/{id}' });
    expect(await send('DELETE', '/things/7')).toMatchObject({ text: 'delete' });
    expect(await send('PATCH', '/parts/7')).toMatchObject({ text: 'patch', route: '/parts/{id}' });
    expect(await send('HEAD', '/things/7')).toMatchObject({ text: '', route: '/things/{id}' });
    expect(admitted).toEqual([]);
  });

  it('lists the methods of a path on OPTIONS, HEAD only where there is GET', async () => {
    const { admitted, send } = mount(() => []);
    const things = await send('OPTIONS', '/things/7');
    expect(things.response.status).toBe(204);
    expect(things.response.headers.get('allow')).toBe('GET, DELETE, HEAD, OPTIONS');
    const parts = await send('OPTIONS', '/parts/7');
    expect(parts.response.headers.get('allow')).toBe('PATCH, OPTIONS');
    expect(admitted).toEqual(['OPTIONS', 'OPTIONS']);
  });

  it('refuses every other method with 405, after it is admitted, and says which there are', async () => {
    const { admitted, send } = mount(() => []);
    // Those that fetch sends; CONNECT and TRACE it does not.
    const others = METHODS.filter(
      (method) => !['GET', 'DELETE', 'HEAD', 'OPTIONS', 'CONNECT', 'TRACE'].includes(method),
    );
    for (const method of others) {
      const { response, route, text } = await send(method, '/things/7');
      expect(response.status, method).toBe(405);
      expect(response.headers.get('allow')).toBe('GET, DELETE, HEAD, OPTIONS');
      expect(route).toBe('/things/{id}');
      expect(JSON.parse(text).detail).toBe(
        `${method} is not taken here; GET, DELETE, HEAD, OPTIONS are.`,
      );
    }
    expect(admitted).toEqual(others);
  });

  it('serves aliases as it serves the path, and documents the path alone', async () => {
    const { app, send } = mount((path) => (path.startsWith('/things') ? ['/thing/:id'] : []));
    expect(await send('GET', '/thing/7')).toMatchObject({ text: 'get', route: '/things/{id}' });
    expect((await send('PUT', '/thing/7')).response.status).toBe(405);
    expect((await send('PATCH', '/part/7')).response.status).toBe(404);
    const { paths } = app.getOpenAPIDocument({
      openapi: '3.0.0',
      info: { title: '', version: '' },
    });
    expect(Object.keys(paths)).toEqual(['/things/{id}', '/parts/{id}']);
  });

  it('has no aliases, and admits everything, by default', async () => {
    const { send } = mount();
    expect((await send('PUT', '/things/7')).response.status).toBe(405);
    expect((await send('GET', '/undefined')).response.status).toBe(404);
  });
});
