import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMigratedDatabase, type TestDatabase } from '../../../../support/database.ts';
import { describeWithRedis } from '../../../../support/redis.ts';
import { newUser } from '../../support/api.ts';
import { expectSameResponses, rawGet, sendBytes } from './support/raw-requests.ts';
import { keepInMemory, type Side, startSides } from './support/side.ts';

describeWithRedis('the fast path', (redis) => {
  let database: TestDatabase;
  let fast: Side;
  let full: Side;
  let id: number;
  let deletedId: number;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    [fast, full] = await startSides({ database, redisUrl: redis().url });
    const fields = {
      ...newUser({ name: 'Ænne 🦊 "quoted", \\"email"' }),
      status: 'active',
    } as const;
    const created = await full.dependencies.users.create(fields, null);
    id = created.id;
    const gone = await full.dependencies.users.create(
      { ...fields, email: 'gone@example.com' },
      null,
    );
    deletedId = gone.id;
    await full.dependencies.users.remove(deletedId, null, { kind: 'admin', userId: 1 });
  });
  afterAll(async () => {
    await fast.stop();
    await full.stop();
    await database.drop();
  });
  beforeEach(async () => {
    // Entries end after seconds, and tests may take longer.
    await keepInMemory([fast, full], id);
    fast.responded.length = 0;
  });

  const expectSame = (request: string, responses?: number) =>
    expectSameResponses([fast, full], request, responses);

  describe('of a user in memory', () => {
    it.each(['/api/v1/users', '/api/v1/user', '/api/users', '/api/user'])(
      'at %s, responds with the bytes of the full path',
      async (path) => {
        const response = await expectSame(rawGet(`${path}/${id}`));
        expect(response).toMatch(/^HTTP\/1.1 200 OK\r\nx-request-id: the-same-id\r\n/);
        expect(Buffer.from(response, 'latin1').toString()).toContain('Ænne 🦊 \\"quoted\\"');
        expect(fast.responded).toEqual([200]);
      },
    );

    it.each([
      ['"v1"', 304],
      ['W/"v1"', 304],
      ['"other", "v1"', 304],
      ['*', 304],
      ['"v2"', 200],
      ['v1', 200],
      ['', 200],
    ])(
      'with If-None-Match %j, responds %i with the bytes of the full path',
      async (tag, status) => {
        const response = await expectSame(rawGet(`/api/v1/users/${id}`, [`If-None-Match: ${tag}`]));
        expect(response.slice(9, 12)).toBe(String(status));
        expect(fast.responded).toEqual([status]);
      },
    );

    it('with two conditions, and addresses of two proxies, takes them as the full path does', async () => {
      const conditions = ['If-None-Match: "v2"', 'if-none-match: "v1"'];
      const proxies = ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-For: 192.0.2.2'];
      await expectSame(rawGet(`/api/v1/users/${id}`, [...conditions, ...proxies]));
      expect(fast.responded).toEqual([304]);
    });

    it('with the headers of a browser behind CloudFront, answers itself', async () => {
      const response = await expectSame(
        rawGet(`/api/v1/users/${id}`, [
          'User-Agent: Mozilla/5.0',
          'Accept: application/json',
          'accept-encoding: gzip, br',
          'ACCEPT-LANGUAGE: de',
          'Sec-Fetch-Mode: cors',
          'Via: 2.0 cloudfront',
          'X-Amz-Cf-Id: abc',
          'X-Amzn-Trace-Id: Root=1-1',
          'X-Forwarded-For: 192.0.2.1, 192.0.2.2',
          'Connection: keep-alive',
        ]),
      );
      expect(response).toMatch(/^HTTP\/1.1 200 /);
      expect(fast.responded).toEqual([200]);
    });

    it('with requests sent ahead, some for the full path, answers in their order', async () => {
      const eligible = rawGet(`/api/v1/users/${id}`);
      const ineligible = rawGet(`/api/v1/users/${id}?a=b`);
      const requests = eligible + ineligible + eligible + rawGet('/health/live') + eligible;
      await expectSame(requests, 5);
      expect(fast.responded).toEqual([200, 200, 200]);
    });

    it('makes a request id of its own where there is no usable one', async () => {
      const ids = [];
      for (const header of [
        '',
        'X-Request-Id: <script>\r\n',
        'X-Request-Id: twice-given\r\n'.repeat(2),
      ]) {
        const request = `GET /api/v1/users/${id} HTTP/1.1\r\nHost: a\r\n${header}\r\n`;
        const [response = ''] = await Promise.all(
          [fast, full].map(({ port }) => sendBytes(port, request)),
        );
        ids.push(/^x-request-id: ([0-9a-f-]{36})\r$/m.exec(response)?.[1]);
      }
      expect(new Set(ids).size).toBe(3);
      expect(ids).not.toContain(undefined);
      expect(fast.responded).toEqual([200, 200, 200]);
    });
  });

  describe('of what is unusual, leaves to the full path', () => {
    it.each([
      ['a connection that ends with it', ['Connection: close']],
      ['an Authorization', ['Authorization: Bearer abc']],
      ['an API key', ['X-API-Key: abc']],
      ['a cookie', ['Cookie: a=b']],
      ['an Origin', ['Origin: https://example.com']],
      ['a trace', ['traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']],
      ['a body', ['Content-Length: 2']],
      ['a chunked body', ['Transfer-Encoding: chunked']],
      ['an Upgrade', ['Connection: upgrade', 'Upgrade: websocket']],
      ['an expectation', ['Expect: 100-continue']],
      ['two hosts', ['Host: other']],
      ['a header that nobody knows', ['X-Nobody-Knows: 1']],
      ['If-Match', ['If-Match: "v1"']],
      ['a range', ['Range: bytes=0-1']],
    ])('a request with %s', async (_, headers) => {
      const body = { 'Content-Length: 2': '{}', 'Transfer-Encoding: chunked': '0\r\n\r\n' };
      const rest = Object.entries(body).find(([header]) => headers.includes(header))?.[1] ?? '';
      await expectSame(rawGet(`/api/v1/users/${id}`, headers) + rest);
      expect(fast.responded).toEqual([]);
    });

    it.each(['POST', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH', 'PURGE'])('%s', async (method) => {
      await expectSame(rawGet('', [], `${method} /api/v1/users/99999999 HTTP/1.1`));
      expect(fast.responded).toEqual([]);
    });

    it('users that are deleted, unknown, or not in memory', async () => {
      for (const other of [deletedId, 99_999_999]) {
        expect(await expectSame(rawGet(`/api/v1/users/${other}`))).toMatch(/^HTTP\/1.1 404 /);
      }
      expect(fast.responded).toEqual([]);
    });

    it.each([
      '/api/v1/users',
      '/api/v1/users/',
      '/api/v1/users/0',
      '/api/v1/users/01',
      '/api/v1/users/+1',
      '/api/v1/users/1e0',
      '/api/v1/users/%31',
      '/api/v1/users/1/',
      '/api/v1/users/1?',
      '/api/v1/users/1#a',
      '/api/v1//users/1',
      '/api/v1/./users/1',
      '/api/v1/users/9007199254740993',
      '/api/v1/users/99999999999999999999999',
      '/api/v2/users/1',
      '/users/1',
      '/1',
      'http://localhost:3000/api/v1/users/1',
    ])('the target %s', async (path) => {
      await expectSame(rawGet(path.replace(/\b1\b/, String(id))));
      expect(fast.responded).toEqual([]);
    });

    it.each(['Host:', 'Host: a b', 'Host: EXAMPLE.COM', 'Host: example.com:99999', 'Host: [::1]'])(
      'the header "%s", and requests without one',
      async (host) => {
        await expectSame(
          `GET /api/v1/users/${id} HTTP/1.1\r\n${host}\r\nX-Request-Id: the-same-id\r\n\r\n`,
        );
        await expectSame(`GET /api/v1/users/${id} HTTP/1.1\r\nX-Request-Id: the-same-id\r\n\r\n`);
        expect(fast.responded).toEqual([]);
      },
    );
  });

  it('whatever the request, responds with the bytes of the full path', async () => {
    const names = fc.constantFrom(
      ...['If-None-Match', 'if-none-match', 'Accept-Encoding', 'X-Forwarded-For', 'Host', 'Range'],
      ...['Connection', 'Cache-Control', 'User-Agent', 'Cookie', 'X-Api-Key', 'If-Match', 'TE'],
    );
    const values = fc.oneof(
      fc.constantFrom(
        '"v1"',
        'W/"v1"',
        '*',
        '"v2"',
        'gzip',
        'close',
        'keep-alive',
        'a, b',
        '1.2.3.4',
      ),
      fc.stringMatching(/^[!-~][ -~]{0,20}$/),
    );
    const paths = fc.oneof(
      fc.constantFrom('/api/v1/users/', '/api/user/', '/api/users/').map((path) => path + id),
      fc.stringMatching(/^\/api\/v1\/users\/[\w.%?/-]{0,6}$/),
    );
    const requests = fc.tuple(
      fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
      paths,
      fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
      fc.array(fc.tuple(names, values), { maxLength: 4 }),
      fc.constantFrom(false, false, false, true),
    );
    await fc.assert(
      fc.asyncProperty(requests, async ([method, path, version, headers, closes]) => {
        const lines = headers.map(([name, value]) => `${name}: ${value}`);
        if (closes) lines.push('Connection: close');
        await expectSame(rawGet(path, lines, `${method} ${path} ${version}`));
      }),
      {
        numRuns: Number(process.env.FAST_PATH_RUNS ?? 300),
        // The connection stays open after a head without a body.
        examples: [
          [['HEAD', `/api/v1/users/${id}`, 'HTTP/1.0', [['Connection', 'keep-alive']], true]],
        ],
      },
    );
    expect(fast.responded.length).toBeGreaterThan(10);
  });
});
