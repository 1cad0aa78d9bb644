import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problem } from '../../../services/contracts/problem.ts';
import { problemTypes } from '../../../services/user-api/http/problem-types.ts';
import { createUser, newUser, type ProblemDetails, startApiOnNewDatabase } from './support/api.ts';
import { type RawResponse, sendRaw } from './support/raw-http.ts';

let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;

beforeAll(async () => {
  api = await startApiOnNewDatabase({
    readers: false,
    environment: { REQUEST_BODY_LIMIT_BYTES: '2048' },
  });
});
afterAll(async () => {
  await api.stop();
});

const post = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  api.call<ProblemDetails>('POST', '/api/v1/users', { body, headers });

/** Where the errors of a problem are. */
const places = ({ errors = [] }: ProblemDetails) =>
  errors.map(({ pointer, parameter }) => pointer ?? parameter);

function problemOf(response: RawResponse): ProblemDetails {
  expect(response.headers['content-type']).toBe('application/problem+json');
  return problem.parse(JSON.parse(response.body));
}

describe('a body that is not valid', () => {
  const long = 'x'.repeat(101);
  it.each<[string, object, readonly string[]]>([
    ['no field', {}, ['/name', '/email']],
    ['an empty name', newUser({ name: '' }), ['/name']],
    ['a blank name', newUser({ name: ' \t ' }), ['/name']],
    ['an invisible name', newUser({ name: '\u200b\u200d' }), ['/name']],
    ['a name of 101 characters', newUser({ name: long }), ['/name']],
    ['a name with NUL', newUser({ name: 'a\u0000b' }), ['/name']],
    ['a name of two lines', newUser({ name: 'a\nb' }), ['/name']],
    ['a name with half a surrogate pair', newUser({ name: 'a\ud800' }), ['/name']],
    ['a number for a name', newUser({ name: 5 }), ['/name']],
    ['null for a name', newUser({ name: null }), ['/name']],
    ['no address for an email', newUser({ email: 'nobody' }), ['/email']],
    ['a blank in the email', newUser({ email: 'a b@example.com' }), ['/email']],
    ['NUL in the email', newUser({ email: 'a\u0000@example.com' }), ['/email']],
    [
      'an email of 255 characters',
      newUser({ email: `${'a'.repeat(243)}@example.com` }),
      ['/email'],
    ],
    ['an unknown status', newUser({ status: 'deleted' }), ['/status']],
    ['an unknown field', newUser({ role: 'admin' }), ['/role']],
    ['fields that the server sets', newUser({ id: 1, version: 2 }), ['/id', '/version']],
    ['a field with a slash and a tilde', newUser({ 'a/b~c': 1 }), ['/a~1b~0c']],
    ['everything wrong at once', { name: 1, email: 'x', more: 1 }, ['/name', '/email', '/more']],
  ])('with %s, gets 422 with pointers to the fields', async (_, body, pointers) => {
    const response = await post(body);
    expect(response.status).toBe(422);
    expect(response.body.type).toBe('/problems/validation-failed');
    expect(places(response.body)).toEqual(pointers);
  });

  it.each([
    ['an array', '[]'],
    ['a string', '"x"'],
    ['a number', '1'],
    ['null', 'null'],
  ])('that is %s, gets 422 with a pointer to the whole', async (_, body) => {
    const response = await post(body);
    expect(response.status).toBe(422);
    expect(places(response.body)).toEqual(['']);
  });

  it('with __proto__ and constructor, is refused naming them', async () => {
    const { email } = newUser();
    const response = await post(
      `{"name":"A","email":"${email}","__proto__":{"status":"x"},"constructor":1}`,
    );
    expect(response.status).toBe(422);
    expect(places(response.body)).toEqual(['/__proto__', '/constructor']);
  });

  it('with an email of 254 characters, is taken: the limit is not off by one', async () => {
    const domain = `${`${'b'.repeat(60)}.`.repeat(3)}example.com`.slice(-189);
    const email = `${'b'.repeat(254 - 1 - domain.length)}@${domain}`;
    expect((await post(newUser({ email }))).status).toBe(201);
  });

  it('with a field given twice, takes the last, as JSON.parse does', async () => {
    const { email } = newUser();
    const response = await post(`{"name":1,"name":"Last","email":"${email}"}`);
    expect(response.status).toBe(201);
    expect(response.body).toMatchObject({ name: 'Last' });
  });
});

describe('a body that is not JSON', () => {
  it.each<[string, string | Uint8Array]>([
    ['cut off', '{"name":'],
    ['empty', ''],
    ['with a NUL byte', '{"name":"a\u0000b"}'],
    ['with a huge number in wrong place', '1e999999x'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['UTF-16', Buffer.from('{"name":"x"}', 'utf16le')],
  ])('%s, gets 400', async (_, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(response.body.type).toBe('/problems/malformed-json');
  });

  it('never has its content quoted in the response', async () => {
    expect((await post('{"email": "secret@example.com" oops}')).text).not.toContain('secret');
  });

  it('deeply nested, gets a response for what it is', async () => {
    expect((await post('['.repeat(2_000))).status).toBe(400);
    expect((await post('['.repeat(1_000) + ']'.repeat(1_000))).status).toBe(422);
  });
});

describe('a media type', () => {
  it.each([
    ['text/plain', {}],
    ['application/x-www-form-urlencoded', {}],
    ['application/json; charset=iso-8859-1', {}],
    ['application/merge-patch+json', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
  ])('of %s %j, gets 415 with what is taken', async (mediaType, headers) => {
    const response = await post(newUser(), { 'content-type': mediaType, ...headers });
    expect(response.status).toBe(415);
    expect(response.headers.get('accept-post')).toBe('application/json');
  });

  it('on PATCH, gets Accept-Patch', async () => {
    const response = await api.call('PATCH', '/api/v1/users/1', {
      as: 'admin',
      headers: { 'content-type': 'text/plain' },
      body: 'x',
    });
    expect(response.status).toBe(415);
    expect(response.headers.get('accept-patch')).toBe(
      'application/merge-patch+json, application/json',
    );
  });

  it('that is missing, gets 415', async () => {
    const response = await sendRaw(
      api.port,
      'POST /api/users HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}',
    );
    expect(response.status).toBe(415);
  });

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON;CHARSET="UTF-8"'])(
    'of %s, is taken',
    async (mediaType) => {
      expect((await post(newUser(), { 'content-type': mediaType })).status).toBe(201);
    },
  );
});

describe('a body over the limit', () => {
  const head = 'POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

  it('declared so, gets 413 before it has been sent', async () => {
    const response = await sendRaw(api.port, `${head}Content-Length: 2049\r\n\r\n{`);
    expect(response.status).toBe(413);
    expect(problemOf(response).detail).toContain('2048');
  });

  it('without a length, gets 413 once too much has come', async () => {
    const chunk = `400\r\n${'x'.repeat(0x400)}\r\n`;
    const response = await sendRaw(
      api.port,
      `${head}Transfer-Encoding: chunked\r\n\r\n`,
      chunk,
      chunk,
      chunk,
    );
    expect(response.status).toBe(413);
    expect(problemOf(response).type).toBe('/problems/content-too-large');
  });

  it('leaves the service answering others', async () => {
    await post('x'.repeat(1_000_000)).catch(() => {});
    expect((await api.call('GET', '/health/live')).status).toBe(200);
  });

  it('by one byte, is what the limit means', async () => {
    const { name, email } = newUser();
    const body = JSON.stringify({ name, email });
    expect((await post(body.padEnd(2_048, ' '))).status).toBe(201);
    expect((await post(body.padEnd(2_049, ' '))).status).toBe(413);
  });
});

describe('a query that is not valid', () => {
  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1e1', 'limit'],
    ['limit=99999999999999999999', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['status=gone', 'status'],
    ['cursor=', 'cursor'],
    ['cursor=nonsense', 'cursor'],
    ['cursor=aWQ6MTI', 'cursor'],
    ['cursor=aWQ6MTI=', 'cursor'],
    ['cursor=aWQ6LTE', 'cursor'],
    ['cursor=aWQ6OTk5OTk5OTk5OTk5OTk5OQ', 'cursor'],
    ['offset=3', 'offset'],
    ['__proto__=1', '__proto__'],
    ['%00=1', '\u0000'],
  ])('%s, gets a problem that names the parameter', async (query, parameter) => {
    const { status, body } = await api.call<ProblemDetails>('GET', `/api/v1/users?${query}`);
    expect(status).toBe(422);
    expect(places(body)).toEqual([parameter]);
  });
});

describe('paths and methods', () => {
  it.each([
    '/',
    '/api',
    '/api/v2/users',
    '/api/v1/users/',
    '/api/v1/users/1/',
    '/users',
    '/problems/nothing',
  ])('GET %s, where nothing is, gets 404', async (path) => {
    const { status, body } = await api.call<ProblemDetails>('GET', path);
    expect(status).toBe(404);
    expect(body.type).toBe('/problems/route-not-found');
  });

  it.each([
    ['DELETE', '/api/v1/users', 'GET, POST, HEAD, OPTIONS'],
    ['PUT', '/api/user', 'GET, POST, HEAD, OPTIONS'],
    ['POST', '/api/user/1', 'GET, PATCH, PUT, DELETE, HEAD, OPTIONS'],
    ['PROPFIND', '/api/v1/users/1', 'GET, PATCH, PUT, DELETE, HEAD, OPTIONS'],
    ['POST', '/health', 'GET, HEAD, OPTIONS'],
  ])('%s %s, which it does not take, gets 405 with what it takes', async (method, path, allow) => {
    const { status, headers, body } = await api.call<ProblemDetails>(method, path);
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe(allow);
    expect(body.type).toBe('/problems/method-not-allowed');
  });

  it('OPTIONS gets what there is', async () => {
    const { status, headers } = await api.call('OPTIONS', '/api/users');
    expect(status).toBe(204);
    expect(headers.get('allow')).toBe('GET, POST, HEAD, OPTIONS');
  });

  it('a URL over the limit gets 414', async () => {
    const { status, body } = await api.call<ProblemDetails>(
      'GET',
      `/api/users?cursor=${'a'.repeat(2_048)}`,
    );
    expect(status).toBe(414);
    expect(body.type).toBe('/problems/uri-too-long');
  });
});

describe('what is not HTTP', () => {
  it.each([
    ['a request line of nonsense', 'nonsense\r\n\r\n', 400],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
    ['a target that is none', 'GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      400,
    ],
    [
      'headers over the limit',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(17_000)}\r\n\r\n`,
      431,
    ],
  ])('%s, gets a problem', async (_, request, status) => {
    const response = await sendRaw(api.port, request);
    expect(response.status).toBe(status);
    expect(problemOf(response).status).toBe(status);
  });
});

describe('every problem', () => {
  it('names the request as its header does, and may not be cached', async () => {
    const { headers, body } = await api.call<ProblemDetails>('GET', '/nothing');
    expect(body.requestId).toBe(headers.get('x-request-id'));
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(problem.parse(body)).toEqual(body);
  });

  it("keeps the caller's request id when it is a usable one, and only then", async () => {
    const id = 'trace-12345';
    const given = await api.call('GET', '/nothing', { headers: { 'x-request-id': id } });
    expect(given.headers.get('x-request-id')).toBe(id);
    const refused = await api.call('GET', '/nothing', { headers: { 'x-request-id': 'a"b\\' } });
    expect(refused.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each(Object.keys(problemTypes))('has a page that explains %s', async (slug) => {
    const page = await api.call('GET', `/problems/${slug}`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.text).toContain(`/problems/${slug}`);
    expect(page.text, 'marks code as HTML').not.toContain('`');
    expect((await api.call('GET', '/problems')).text).toContain(`"/problems/${slug}"`);
  });
});

describe('an email in use', () => {
  it('is not repeated in the log', async () => {
    const { email } = await createUser(api, { name: 'Unlogged Person' });
    await post(newUser({ email, name: 'Unlogged Person' }));
    await api.call('GET', `/api/v1/users?cursor=${email}`);
    const log = JSON.stringify(api.log);
    expect(log).toContain('"status":409');
    expect(log).not.toContain(email);
    expect(log).not.toContain('Unlogged Person');
  });
});
