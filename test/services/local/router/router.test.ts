import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Router, startRouter } from '../../../../services/local/router/router.ts';

/** Responds with what it got, under its name; `/slow` never ends. */
function createEcho(name: string): Server {
  return createServer(async (incoming, response) => {
    const body = await text(incoming);
    response.writeHead(201, { 'set-cookie': ['a=1', 'b=2'], 'x-service': name });
    if (incoming.url === '/orders/slow') return void response.write('begun');
    const { method, url, rawHeaders } = incoming;
    response.end(JSON.stringify({ name, method, url, rawHeaders, body }));
  });
}

async function listen(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return Object(server.address()).port;
}

const echoes = ['api', 'orders', 'invoices'].map(createEcho);
let router: Router;
let origin: string;
let goneConnections = 0;

beforeAll(async () => {
  const [api = 0, orders = 0, invoices = 0] = await Promise.all(echoes.map(listen));
  echoes[1]?.on('request', (incoming) =>
    incoming.socket.once('close', () => (goneConnections += 1)),
  );
  // A port that nothing listens on any more.
  const ended = createServer();
  const deadPort = await listen(ended);
  ended.close();
  router = await startRouter({
    host: '127.0.0.1',
    port: 0,
    routes: [
      { pathPatterns: ['/orders/?/invoice', '/orders/old*'], priority: 10, port: invoices },
      { pathPatterns: ['/orders/*'], priority: 20, port: orders },
      { pathPatterns: ['/dead'], priority: 30, port: deadPort },
    ],
    fallbackPort: api,
  });
  origin = `http://127.0.0.1:${router.port}`;
});
afterAll(async () => {
  await router.stop();
  for (const echo of echoes) echo.close();
});

describe('The router', () => {
  it.each([
    ['/api/v1/users', 'api'],
    ['/orders', 'api'],
    ['/Orders/1', 'api'],
    ['/orders/1', 'orders'],
    ['/orders/12/invoice', 'orders'],
    ['/orders/1/invoice', 'invoices'],
    ['/orders/old.er?x=/orders/1', 'invoices'],
    ['/api?next=/orders/1', 'api'],
  ])('sends %s to the service of the first rule that matches: %s', async (path, name) => {
    expect(await (await fetch(`${origin}${path}`)).json()).toMatchObject({ name, url: path });
  });

  it('passes on the method, the body and header fields, with the address of the client', async () => {
    const response = await fetch(`${origin}/orders/1?a=b%20c`, {
      method: 'PUT',
      body: 'a body',
      headers: { 'x-forwarded-for': '203.0.113.7' },
    });
    const { body, method, url, rawHeaders } = Object(await response.json());

    expect({ body, method, url }).toEqual({
      body: 'a body',
      method: 'PUT',
      url: '/orders/1?a=b%20c',
    });
    expect(rawHeaders[rawHeaders.indexOf('X-Forwarded-For') + 1]).toBe('203.0.113.7, 127.0.0.1');
    expect(rawHeaders[rawHeaders.indexOf('host') + 1]).toBe(`127.0.0.1:${router.port}`);
    expect(response.status).toBe(201);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  });

  it('responds with a problem where the service does not', async () => {
    const response = await fetch(`${origin}/dead`);
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ type: '/problems/bad-gateway', status: 502 });
  });

  it('ends the request of a client that goes away', async () => {
    const before = goneConnections;
    const sent = request(`${origin}/orders/slow`).end();
    await once(sent, 'response');
    sent.destroy();
    sent.on('error', () => {});
    await expect.poll(() => goneConnections).toBeGreaterThan(before);
  });
});
