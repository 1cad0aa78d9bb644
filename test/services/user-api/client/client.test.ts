import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type ClientOptions, createClient } from '../../../../services/user-api/client/client.ts';
import {
  ApiProblem,
  ApiUnreachable,
  UnexpectedResponse,
} from '../../../../services/user-api/client/errors.ts';

/** What the server got, in order. */
interface Got {
  readonly line: string;
  readonly key: string | undefined;
  readonly authorization: string | undefined;
}

/** What to answer to a request: its status, the slug of its problem or its body, and header fields. */
type Script = { status: number; slug?: string; body?: unknown; headers?: Record<string, string> };

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A real HTTP server that answers by a script, which the API could not be made to follow; `null` cuts the connection. */
async function serve(next: (got: Got) => Script | null) {
  const got: Got[] = [];
  const listener: RequestListener = (request, response) => {
    const { authorization, 'idempotency-key': key } = request.headers;
    const one = { line: `${request.method} ${request.url}`, key: key?.toString(), authorization };
    got.push(one);
    const answer = next(one);
    if (answer === null) {
      request.socket.destroy();
      return;
    }
    const { body, headers = {}, slug, status } = answer;
    const problem = { type: `/problems/${slug}`, title: 'x', status, detail: 'y' };
    const type = slug === undefined ? 'application/json' : 'application/problem+json';
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(JSON.stringify(slug === undefined ? body : problem));
  };
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const waits: number[] = [];
  const client = (options: Partial<ClientOptions> = {}) =>
    createClient({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ...options,
      retry: {
        random: () => 0.5,
        wait: async (milliseconds) => void waits.push(milliseconds),
        ...options.retry,
      },
    });
  return { got, waits, client };
}

/** Answers one after the other, and the last for ever. */
function inOrder(...scripts: (Script | null)[]): () => Script | null {
  return () => (scripts.length > 1 ? scripts.shift() : scripts[0]) ?? null;
}

const user = { id: 1, name: 'Ada', status: 'active', version: 1 };
const created = { status: 201, body: user };
const body = { name: 'Ada', email: 'ada@example.com' };
const tokensOf = (accessToken: string, refreshToken: string) => ({
  accessToken,
  refreshToken,
  tokenType: 'Bearer' as const,
  expiresInSeconds: 600,
});

describe('the client, when a request fails', () => {
  it('with 429, comes again no earlier than Retry-After says, and with the same key', async () => {
    const busy = { status: 429, slug: 'rate-limit-exceeded', headers: { 'retry-after': '3' } };
    const { client, got, waits } = await serve(inOrder(busy, busy, created));
    const answer = await client().createUser({ body });
    expect(answer.body.id).toBe(1);
    expect(waits).toEqual([3_100, 3_200]);
    expect(new Set(got.map(({ key }) => key)).size).toBe(1);
    expect(got[0]?.key).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('by a lost connection, repeats what can be repeated, after waits that grow', async () => {
    const { client, got, waits } = await serve(inOrder(null, null, { status: 200, body: user }));
    await client().getUser({ parameters: { id: 1 } });
    expect(got).toHaveLength(3);
    expect(waits).toEqual([100, 200]);
  });

  it('by a lost connection, does not repeat what could then be done twice', async () => {
    const { client, got } = await serve(inOrder(null, { status: 200, body: user }));
    const parameters = { id: 1 };
    const updating = client().updateUser({ parameters, body: { name: 'B' } });
    await expect(updating).rejects.toThrow(ApiUnreachable);
    expect(got).toHaveLength(1);
  });

  it.each(['password-hashing-busy', 'overloaded', 'database-unavailable', 'deadline-exceeded'])(
    'with %s, which says that it was not applied, repeats it whatever it is',
    async (slug) => {
      const refused = { status: 503, slug, headers: { 'retry-after': '1' } };
      const { client, got } = await serve(
        inOrder(refused, { status: 200, body: tokensOf('a', 'b') }),
      );
      await client().logIn({ body: { email: 'a@example.com', password: 'b' } });
      expect(got).toHaveLength(2);
    },
  );

  describe.each([
    ['with outcome-unknown', { status: 503, slug: 'outcome-unknown' }],
    ['by a lost connection', null],
    ['with 504 of a proxy', { status: 504, headers: { 'content-type': 'text/html' } }],
  ])('%s,', (_, unknown) => {
    const parameters = { id: 1 };

    it('does not repeat a change that could overwrite what came between', async () => {
      const { client, got } = await serve(inOrder(unknown, { status: 200, body: user }));
      const one = client();
      await expect(one.updateUser({ parameters, body: { name: 'B' } })).rejects.toThrow();
      expect(got).toHaveLength(1);
    });

    it('does not repeat what replaces a user, sets a role or makes a key', async () => {
      const { client, got } = await serve(() => unknown);
      const one = client();
      const full = { ...body, status: 'active' as const };
      await expect(one.replaceUser({ parameters, body: full })).rejects.toThrow();
      await expect(one.setRole({ parameters, body: { role: 'user' } })).rejects.toThrow();
      const key = { name: 'n', scopes: [] };
      await expect(one.createApiKey({ parameters, body: key })).rejects.toThrow();
      expect(got).toHaveLength(3);
    });

    it('repeats a change with If-Match', async () => {
      const { client, got } = await serve(inOrder(unknown, { status: 200, body: user }));
      await client().updateUser({ parameters, body: { name: 'B' }, ifMatch: '"v1"' });
      expect(got).toHaveLength(2);
    });

    it('repeats a creation with the same key', async () => {
      const { client, got } = await serve(inOrder(unknown, created));
      await client().createUser({ body });
      expect(new Set(got.map(({ key }) => key)).size).toBe(1);
      expect(got).toHaveLength(2);
    });
  });

  it('for longer than it waits, gives the problem at once', async () => {
    const locked = { status: 429, slug: 'too-many-logins', headers: { 'retry-after': '900' } };
    const { client, waits } = await serve(inOrder(locked));
    const failure = await client()
      .logIn({ body: { email: 'a@example.com', password: 'b' } })
      .catch((error: unknown) => error);
    expect(failure instanceof ApiProblem && failure.is('too-many-logins')).toBe(true);
    expect(waits).toEqual([]);
  });

  it('in all its attempts, gives the last problem', async () => {
    const { client, got } = await serve(inOrder({ status: 503, slug: 'overloaded' }));
    const failing = client({ retry: { attempts: 3 } }).getUser({ parameters: { id: 1 } });
    await expect(failing).rejects.toThrow('503');
    expect(got).toHaveLength(3);
  });

  it('for good, is not repeated', async () => {
    const { client, got } = await serve(inOrder({ status: 404, slug: 'user-not-found' }));
    const failing = client().getUser({ parameters: { id: 1 } });
    await expect(failing).rejects.toMatchObject({ slug: 'user-not-found', status: 404 });
    expect(got).toHaveLength(1);
  });

  it('with a response that is not of the API, says so', async () => {
    const foreign = { status: 403, body: '<html>', headers: { 'content-type': 'text/html' } };
    const { client } = await serve(inOrder(foreign));
    await expect(client().getUser({ parameters: { id: 1 } })).rejects.toThrow(UnexpectedResponse);
  });

  it('by being aborted, stops waiting', async () => {
    const { client, got } = await serve(inOrder({ status: 503, slug: 'overloaded' }));
    const controller = new AbortController();
    const failing = client({
      retry: { wait: async () => controller.abort(new Error('enough')) },
    }).getUser({ parameters: { id: 1 }, signal: controller.signal });
    await expect(failing).rejects.toThrow('enough');
    expect(got).toHaveLength(1);
  });

  it('by taking too long, is given up', async () => {
    let release = () => {};
    const server = createServer((_request, response) => {
      release = () => response.end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    stops.push(() => {
      release();
      server.closeAllConnections();
      server.close();
    });
    const client = createClient({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      timeoutMilliseconds: 50,
      retry: { attempts: 1 },
    });
    await expect(client.getUser({ parameters: { id: 1 } })).rejects.toThrow(ApiUnreachable);
  });
});

describe('the client, when its access token has ended', () => {
  const ended = { status: 401, slug: 'invalid-access-token' };

  it('renews it once for all requests that wait, and repeats them', async () => {
    const { client, got } = await serve(({ authorization, line }) => {
      if (line.endsWith('/refresh')) return { status: 200, body: tokensOf('new', 'r2') };
      return authorization === 'Bearer new' ? { status: 200, body: user } : ended;
    });
    const kept: (string | undefined)[] = [];
    const one = client({
      tokens: tokensOf('old', 'r1'),
      onTokens: (tokens) => kept.push(tokens?.refreshToken),
    });
    await Promise.all([1, 2, 3].map((id) => one.getUser({ parameters: { id } })));
    const refreshes = got.filter(({ line }) => line.endsWith('/refresh'));
    expect(refreshes.map(({ authorization }) => authorization)).toEqual([undefined]);
    expect(kept).toEqual(['r2']);
    expect(one.tokens?.accessToken).toBe('new');
  });

  it('and the session too, gives the problem and forgets the tokens', async () => {
    const { client } = await serve(({ line }) =>
      line.endsWith('/refresh') ? { status: 401, slug: 'invalid-refresh-token' } : ended,
    );
    const one = client({ tokens: tokensOf('old', 'r1') });
    const failing = one.getCurrentUser();
    await expect(failing).rejects.toMatchObject({ slug: 'invalid-refresh-token' });
    expect(one.tokens).toBeNull();
  });

  it('while sessions are away, keeps the refresh token', async () => {
    const { client } = await serve(({ line }) =>
      line.endsWith('/refresh') ? { status: 503, slug: 'sessions-unavailable' } : ended,
    );
    const one = client({ tokens: tokensOf('old', 'r1') });
    await expect(one.getCurrentUser()).rejects.toMatchObject({ slug: 'sessions-unavailable' });
    expect(one.tokens?.refreshToken).toBe('r1');
  });
});
