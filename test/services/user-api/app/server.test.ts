import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type FastPathResult, NOTHING_FOUND } from '../../../../services/user-api/app/fast-path.ts';
import type { ApiServerSettings } from '../../../../services/user-api/app/server.ts';
import type { ApiEnvironment } from '../../../../services/user-api/http/environment.ts';
import { Problem } from '../../../../services/user-api/http/problem.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { RequestRecord } from '../../../../services/user-api/observability/requests/request-observer.ts';
import { createApiServer } from '../http/support/api-server.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** A server with little behind it: `/now` responds at once, `/held` after `release`, `/part` with the rest of its body after that. */
async function startServer(settings: Partial<ApiServerSettings> = {}, wantedPort = 0) {
  const held = Promise.withResolvers<void>();
  const app = new Hono<ApiEnvironment>();
  app.get('/now', (context) => context.text('now'));
  app.get('/held', async (context) => {
    await held.promise;
    return context.text('held');
  });
  app.get('/part', () => {
    const bytes = [Buffer.from('part'), Buffer.from('rest')];
    const body = new ReadableStream({
      async pull(controller) {
        if (bytes.length === 1) await held.promise;
        const next = bytes.shift();
        if (next === undefined) controller.close();
        else controller.enqueue(next);
      },
    });
    return new Response(body);
  });
  const log: Record<string, unknown>[] = [];
  const logger = createLogger(
    { LOG_LEVEL: 'info', STAGE: 'test' },
    { write: (line) => void log.push(JSON.parse(line)) },
  );
  const server = createApiServer(app, logger, {
    responseHeaders: (_, outgoing) => void outgoing.setHeader('x-answer', 'yes'),
    ...settings,
  });
  const port = await server.listen('127.0.0.1', wantedPort);
  onTestFinished(async () => {
    held.resolve();
    await server.close(0);
  });
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  return {
    port,
    server,
    release: held.resolve,
    open,
    /** Sends all of it, and gives all that is received until the server closes the connection. */
    send: async (...requests: readonly string[]) => {
      const socket = await open();
      socket.write(requests.join(''));
      return await text(socket);
    },
    statuses: () => log.flatMap(({ status }) => status ?? []),
    inFlight: (count: number) => expect.poll(() => server.requestsInFlight).toBe(count),
  };
}

const CLOSE = /\r\nconnection: close\r\n/i;
const last = (path: string) => get(path).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');

/** A connection that is not closed would be waited for until then. */
const TEST_TIMEOUT = { timeout: 10_000 };

describe('ApiServer', TEST_TIMEOUT, () => {
  it('on a port that is taken, says which and what to do', async () => {
    const { port } = await startServer();
    await expect(startServer({}, port)).rejects.toMatchObject({
      name: 'ListenError',
      message: expect.stringContaining(`Port ${port} on 127.0.0.1 (PORT, HOST) is taken`),
    });
  });

  it('counts connections and requests in flight, and observes each request once', async () => {
    const { inFlight, open, release, server, statuses } = await startServer();
    const socket = await open();
    await expect.poll(() => server.connections).toBe(1);
    socket.write(get('/held'));
    await inFlight(1);
    release();
    await once(socket, 'data');
    await inFlight(0);
    socket.destroy();
    await expect.poll(() => server.connections).toBe(0);
    expect(statuses()).toEqual([200]);
  });

  it('that drains, ends each connection with its next response', async () => {
    const { inFlight, open, release, send, server } = await startServer();
    const [held, part] = [await open(), await open()];
    held.write(get('/now'));
    const [before] = await once(held, 'data');
    expect(String(before)).not.toMatch(CLOSE);
    expect(String(before)).toMatch(/^HTTP\/1.1 200 [\s\S]*x-answer: yes\r\n/);
    held.write(get('/held'));
    part.write(last('/part'));
    await once(part, 'data');
    await inFlight(2);
    server.drain();
    const [rest, response] = [text(part), text(held)];
    release();
    expect(await response).toMatch(CLOSE);
    expect(await rest).toContain('rest');
    expect(await send(get('/now'))).toMatch(CLOSE);
  });

  it('that closes, waits for requests in flight and for connections on which the first may come', async () => {
    const { inFlight, open, release, send, server } = await startServer();
    const [idle, unused, late] = [await open(), await open(), await open()];
    idle.write(get('/now'));
    await once(idle, 'data');
    const inTime = send(get('/held'));
    await inFlight(1);
    const closed = server.close(60_000);
    const ends = [idle, unused].map((socket) => once(socket, 'close'));
    late.write(get('/now'));
    expect(await text(late)).toMatch(CLOSE);
    release();
    expect(await inTime).toContain('held');
    idle.resume();
    unused.resume();
    await Promise.all(ends);
    expect(await closed).toBe(true);
  });

  it('that closes, cuts what takes longer than it may', async () => {
    const { inFlight, send, server, statuses } = await startServer();
    const cut = send(get('/held'));
    await inFlight(1);
    expect(await server.close(10)).toBe(false);
    expect(await cut).toBe('');
    await inFlight(0);
    expect(statuses()).toEqual([499]);
  });

  it('cuts a client whose response is not sent in time, and no other', async () => {
    const { inFlight, send } = await startServer({ responseTimeoutMilliseconds: 100 });
    const cut = send(get('/held'));
    await inFlight(1);
    expect(await cut).toBe('');
    expect(await send(last('/now'))).toContain('now');
    await inFlight(0);
  });

  it('refuses what breaks a rule, reads nothing behind it, and counts it', async () => {
    const twoHosts = get('/now').replace('\r\n', '\r\nHost: y\r\n');
    const { send, statuses } = await startServer({ countRefused: async () => null });
    const refused = await send(twoHosts, get('/now'));
    expect(refused).toMatch(/^HTTP\/1.1 400 [\s\S]*There is more than one host field/);
    expect(refused).toMatch(CLOSE);
    expect(refused.match(/HTTP\/1.1/g)).toHaveLength(1);
    expect(statuses()[0]).toBe(400);

    const limited = await startServer({
      countRefused: async () => new Problem('rate-limit-exceeded', 'No.', { headers: { a: 'b' } }),
    });
    const counted = await limited.send(twoHosts);
    expect(counted).toMatch(/^HTTP\/1.1 429 [\s\S]*a: b\r\n/);
    expect(counted).toMatch(CLOSE);
    expect(counted).toMatch(/\{"type":"\/problems\/rate-limit-exceeded".*"requestId":"[^"]+"\}$/);
  });

  it('hangs up after a refusal in place of 100', async () => {
    const { send } = await startServer();
    const expecting = get('/now').replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n');
    const response = await send(expecting);
    expect(response).toMatch(/^HTTP\/1.1 200 /);
    expect(response).toMatch(CLOSE);
  });

  it.each([
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'CONNECT is not taken here.'],
    ['nonsense', 'nonsense\r\n\r\n', 400, 'The request is not valid HTTP.'],
  ])('refuses %s', async (_what, sent, status, detail) => {
    const { send } = await startServer();
    const response = await send(sent);
    expect(response.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
    expect(response).toContain(`"detail":"${detail}"`);
  });
});

describe('the fast path', TEST_TIMEOUT, () => {
  const answer = { at: 0 };
  const fast: NonNullable<ApiServerSettings['fastPath']> = (_, outgoing) => {
    answer.at += 1;
    outgoing.end('fast');
    return { isDone: true, record: new RequestRecord() };
  };

  it.each([
    ['at once', fast],
    ['later', async (...parts: Parameters<typeof fast>) => await fast(...parts)],
  ])(
    'that responds %s, is observed once, and is not asked while the server drains',
    async (_, fastPath) => {
      const { inFlight, send, server, statuses } = await startServer({ fastPath });
      answer.at = 0;
      expect(await send(last('/now'))).toContain('fast');
      await inFlight(0);
      await expect.poll(statuses).toEqual([200]);
      server.drain();
      expect(await send(get('/now'))).toContain('now');
      expect(answer.at).toBe(1);
    },
  );

  it.each([
    ['at once', () => NOTHING_FOUND],
    ['later', async () => NOTHING_FOUND],
  ])('that does not respond, says so %s, and the full path responds', async (_, fastPath) => {
    const { inFlight, send, statuses } = await startServer({ fastPath });
    const response = await send(last('/now'));
    expect(response).toMatch(/x-request-id: [\s\S]*now/);
    await inFlight(0);
    await expect.poll(statuses).toEqual([200]);
  });

  it('whose client goes before the response, observes that', async () => {
    const gone = Promise.withResolvers<FastPathResult>();
    const { inFlight, open, server, statuses } = await startServer({
      fastPath: () => gone.promise,
    });
    const socket = await open();
    socket.write(get('/now'));
    await inFlight(1);
    socket.destroy();
    await expect.poll(() => server.connections).toBe(0);
    gone.resolve(NOTHING_FOUND);
    await inFlight(0);
    await expect.poll(statuses).toEqual([499]);
  });
});
