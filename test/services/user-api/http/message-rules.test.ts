import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problem } from '../../../../services/contracts/problem.ts';
import { createUser, startApiOnNewDatabase, type TestApi } from '../support/api.ts';

const JSON_TYPE = 'Content-Type: application/json';
const head = (...lines: readonly string[]) => [...lines, '', ''].join('\r\n');

/** The response to a request, up to the end of the connection. */
interface Received {
  readonly statuses: readonly number[];
  /** Slug of the problem that the first response is. */
  readonly slug: string | undefined;
  readonly text: string;
}

describe('a request that proxies could read in another way', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApiOnNewDatabase({
      readers: false,
      environment: { REQUEST_HEADERS_TIMEOUT_MILLISECONDS: '300' },
    });
  });
  afterAll(() => api.stop());

  async function send(sent: string): Promise<Received> {
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(sent, 'latin1');
    const received = await text(socket);
    const body = received.slice(received.indexOf('\r\n\r\n') + 4);
    const end = body.indexOf('HTTP/1.1');
    const first = end === -1 ? body : body.slice(0, end);
    return {
      statuses: [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)),
      slug: /^\{"type":"\/problems\//.test(first)
        ? problem.parse(JSON.parse(first)).type
        : undefined,
      text: received,
    };
  }

  const GET = 'GET /api/v1/users/1 HTTP/1.1';
  const POST = 'POST /api/v1/users HTTP/1.1';
  const MALFORMED = '/problems/malformed-request';
  /** Hidden behind what two readers could take for the end of the first request. */
  const HIDDEN = head('GET /health/live HTTP/1.1', 'Host: a');

  it.each([
    ['two Host fields', head(GET, 'Host: a', 'Host: b'), 400, MALFORMED],
    ['the same Host twice', head(GET, 'Host: a', 'host: a'), 400, MALFORMED],
    ['no Host', head(GET), 400, MALFORMED],
    ['no Host and an absolute target', head('GET http://a/health/live HTTP/1.1'), 400, MALFORMED],
    [
      'a Host that is none and an absolute target',
      head('GET http://a/health/live HTTP/1.1', 'Host: a/b'),
      400,
      MALFORMED,
    ],
    ['a Host with a user', head(GET, 'Host: a@b'), 400, MALFORMED],
    ['a Host with a query', head(GET, 'Host: a?b'), 400, MALFORMED],
    ['a Host with a fragment', head(GET, 'Host: a#b'), 400, MALFORMED],
    [
      'a target of another scheme',
      head('GET ftp://a/health/live HTTP/1.1', 'Host: a'),
      400,
      MALFORMED,
    ],
    [
      'a target with a user',
      head('GET http://u@a/health/live HTTP/1.1', 'Host: a'),
      400,
      MALFORMED,
    ],
    [
      'a target without a host',
      head('GET http:///health/live HTTP/1.1', 'Host: a'),
      400,
      MALFORMED,
    ],
    ['a Host that is none', head(GET, 'Host: a/b', 'Connection: close'), 400, MALFORMED],
    [
      'two Authorization fields',
      head(GET, 'Host: a', 'Authorization: a', 'Authorization: b'),
      400,
      MALFORMED,
    ],
    [
      'two Content-Type fields',
      `${head(POST, 'Host: a', JSON_TYPE, 'Content-Type: text/plain', 'Content-Length: 2')}{}`,
      400,
      MALFORMED,
    ],
    [
      'Content-Length and Transfer-Encoding',
      head(POST, 'Host: a', JSON_TYPE, 'Content-Length: 6', 'Transfer-Encoding: chunked') +
        `0\r\n\r\n${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'Transfer-Encoding and Content-Length',
      head(POST, 'Host: a', JSON_TYPE, 'Transfer-Encoding: chunked', 'Content-Length: 6') +
        `0\r\n\r\n${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'two Content-Length fields that differ',
      `${head(POST, 'Host: a', JSON_TYPE, 'Content-Length: 2', 'Content-Length: 40')}{}${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'two Content-Length fields that agree',
      `${head(POST, 'Host: a', JSON_TYPE, 'Content-Length: 2', 'Content-Length: 2')}{}${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'a list as Content-Length',
      `${head(POST, 'Host: a', JSON_TYPE, 'Content-Length: 2, 2')}{}${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'a Content-Length with a sign',
      `${head(POST, 'Host: a', JSON_TYPE, 'Content-Length: +2')}{}${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'a negative Content-Length',
      `${head(POST, 'Host: a', JSON_TYPE, 'Content-Length: -1')}{}${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'a hexadecimal Content-Length',
      `${head(POST, 'Host: a', JSON_TYPE, 'Content-Length: 0x2')}{}${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'a Content-Length beyond numbers',
      head(POST, 'Host: a', JSON_TYPE, `Content-Length: ${'9'.repeat(30)}`),
      400,
      MALFORMED,
    ],
    [
      'a line that goes on in the next',
      head(GET, 'Host: a', 'X-Note: a', ' Content-Length: 40'),
      400,
      MALFORMED,
    ],
    [
      'a space before the colon',
      `${head(POST, 'Host: a', JSON_TYPE, 'Content-Length : 2')}{}${HIDDEN}`,
      400,
      MALFORMED,
    ],
    ['a space before the first field', head(GET, ' Host: a'), 400, MALFORMED],
    ['a name that is no token', head(GET, 'Host: a', 'Content[Length: 2'), 400, MALFORMED],
    ['a NUL in a value', head(GET, 'Host: a', 'X-Note: a\0b'), 400, MALFORMED],
    ['lines that end with LF alone', `${GET}\nHost: a\n\n`, 400, MALFORMED],
    ['a lone CR in a value', head(GET, 'Host: a', 'X-Note: a\rb: c'), 400, MALFORMED],
    [
      'a chunk size with more than digits',
      `${head(POST, 'Host: a', JSON_TYPE, 'Transfer-Encoding: chunked')}2x\r\n{}\r\n0\r\n\r\n`,
      400,
      MALFORMED,
    ],
    [
      'a chunk longer than its size',
      `${head(POST, 'Host: a', JSON_TYPE, 'Transfer-Encoding: chunked')}1\r\n{}\r\n0\r\n\r\n`,
      400,
      MALFORMED,
    ],
    [
      'a transfer coding that is not the last',
      `${head(POST, 'Host: a', JSON_TYPE, 'Transfer-Encoding: chunked, gzip')}0\r\n\r\n${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'a transfer coding that is no coding',
      `${head(POST, 'Host: a', JSON_TYPE, 'Transfer-Encoding: xchunked')}0\r\n\r\n${HIDDEN}`,
      501,
      '/problems/transfer-coding-unsupported',
    ],
    [
      'two transfer codings',
      `${head(POST, 'Host: a', JSON_TYPE, 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n${HIDDEN}`,
      501,
      '/problems/transfer-coding-unsupported',
    ],
    [
      'chunks twice over',
      head(POST, 'Host: a', JSON_TYPE, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') +
        `0\r\n\r\n${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'chunks in HTTP/1.0',
      head('POST /api/v1/users HTTP/1.0', 'Host: a', JSON_TYPE, 'Transfer-Encoding: chunked') +
        `0\r\n\r\n${HIDDEN}`,
      400,
      MALFORMED,
    ],
    [
      'an expectation that is not known',
      head(GET, 'Host: a', 'Expect: tea'),
      417,
      '/problems/expectation-failed',
    ],
    [
      'CONNECT',
      head('CONNECT example.com:443 HTTP/1.1', 'Host: example.com:443'),
      405,
      '/problems/method-not-allowed',
    ],
  ])('with %s is refused, and nothing behind it is answered', async (_what, sent, status, slug) => {
    const received = await send(sent);
    expect(received.text).toMatch(/\r\nconnection: close\r\n/i);
    expect([received.statuses, received.slug]).toEqual([[status], slug]);
  });

  /** The response without what each request has of its own. */
  const ask = async (target: string, ...fields: readonly string[]) => {
    const received = await send(
      head(`GET ${target} HTTP/1.1`, ...fields, 'X-Request-Id: the-same', 'Connection: close'),
    );
    return received.text.replace(/^(?:date|ratelimit):.*\r\n/gim, '');
  };

  it.each([
    'http://target.example',
    'http://target.example:8080',
    'https://target.example',
    'HTTP://TARGET.example',
    'http://[::1]',
  ])(
    'with a target at %s and another Host, gets a response as one for the path, whatever the Host',
    async (origin) => {
      const { id } = await createUser(api);
      for (const path of [
        `/api/v1/users/${id}`,
        '/api/v1/users?limit=1',
        '/problems',
        '/openapi.json',
        '/none',
        '/api/v1/users?limit=x',
      ]) {
        const eligible = await ask(path, 'Host: a');
        expect(await ask(origin + path, 'Host: host.example'), path).toBe(eligible);
        expect(eligible).toMatch(/^HTTP\/1.1 (?:200|404|422) /);
        expect(eligible).not.toMatch(/host\.example|target\.example/);
      }
    },
  );

  it('with a target that has no path, asks for the root', async () => {
    expect(await ask('http://target.example', 'Host: a')).toBe(await ask('/', 'Host: a'));
  });

  it('with * as its target, has a response', async () => {
    const received = await send(head('OPTIONS * HTTP/1.1', 'Host: a', 'Connection: close'));
    expect(received.statuses).toHaveLength(1);
    expect(received.statuses[0]).toBeLessThan(500);
  });
});
