import { z } from '@hono/zod-openapi';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createErrorHandler } from '../../../../services/user-api/app/error-handler.ts';
import type { ApiServer } from '../../../../services/user-api/app/server.ts';
import { createJsonBodyReader } from '../../../../services/user-api/http/body.ts';
import type { ApiEnvironment } from '../../../../services/user-api/http/environment.ts';
import { createLogger } from '../../../../services/user-api/observability/logger.ts';
import { sendRaw } from '../support/raw-http.ts';
import { createApiServer } from './support/api-server.ts';

const LIMIT_BYTES = 20;
const schema = z.strictObject({ a: z.string() });

let server: ApiServer;
let port: number;
beforeAll(async () => {
  const logger = createLogger({ LOG_LEVEL: 'fatal', STAGE: 'test' }, { write: () => {} });
  const read = createJsonBodyReader(LIMIT_BYTES);
  const app = new Hono<ApiEnvironment>();
  app.onError(createErrorHandler(logger));
  app.post('/', async (context) => Response.json(await read(context, schema)));
  app.patch('/', async (context) =>
    Response.json(
      await read(context, schema, ['application/merge-patch+json', 'application/json']),
    ),
  );
  server = createApiServer(app, logger);
  port = await server.listen('127.0.0.1', 0);
});
afterAll(() => server.close(0));

const send = (method: string, fields: readonly string[], ...bodies: readonly (string | Buffer)[]) =>
  sendRaw(port, [`${method} / HTTP/1.1`, 'Host: x', ...fields, '', ''].join('\r\n'), ...bodies);
const JSON_TYPE = 'Content-Type: application/json';
const lengthOf = (body: string | Buffer) => `Content-Length: ${Buffer.byteLength(body)}`;
const post = (body: string | Buffer, ...fields: readonly string[]) =>
  send('POST', [lengthOf(body), ...(fields.length === 0 ? [JSON_TYPE] : fields)], body);
const chunk = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n`;

describe('a JSON body', () => {
  it.each(['{"a":"b"}', '\ufeff{"a":"b"}', '{"a":"b"}'.padEnd(LIMIT_BYTES, ' ')])(
    '%j, is read',
    async (body) => {
      expect(await post(body)).toMatchObject({ status: 200, body: '{"a":"b"}' });
    },
  );

  it('in pieces, as chunks, or after 100 is read', async () => {
    const [first, second] = ['{"a":', '"b"}'];
    const length = 'Content-Length: 9';
    const expected = { status: 200, body: '{"a":"b"}' };
    expect(await send('POST', [JSON_TYPE, length], first, second)).toMatchObject(expected);
    const chunks = [first, second].map(chunk);
    const chunked = [JSON_TYPE, 'Transfer-Encoding: chunked'];
    expect(await send('POST', chunked, ...chunks, '0\r\n\r\n')).toMatchObject(expected);
    const waits = await send('POST', [JSON_TYPE, length, 'Expect: 100-continue']);
    expect(waits.status).toBe(100);
  });

  it.each([
    ['', 'The body is empty.'],
    [Buffer.from([0x22, 0xff, 0x22]), 'The body is not valid UTF-8.'],
    ['{"a":1}x', 'The body is not JSON: reading stopped at position 7.'],
    ['{"a":', 'The body is not JSON.'],
  ])('that is none, %j, is refused saying why', async (body, detail) => {
    const { body: text, status } = await post(body);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ type: '/problems/malformed-json', detail });
  });

  it('that is not announced, is empty', async () => {
    const { body } = await send('POST', [JSON_TYPE]);
    expect(JSON.parse(body)).toMatchObject({ detail: 'The body is empty.' });
  });

  it.each([
    ['declared so', [`Content-Length: ${LIMIT_BYTES + 1}`], []],
    [
      'in one chunk',
      ['Transfer-Encoding: chunked'],
      [chunk('x'.repeat(LIMIT_BYTES + 1)), '0\r\n\r\n'],
    ],
    ['in several', ['Transfer-Encoding: chunked'], [chunk('x'.repeat(LIMIT_BYTES)), chunk('x')]],
  ])('over the limit, %s, is refused and hung up on', async (_what, fields, bodies) => {
    const { body, headers, status } = await send('POST', [JSON_TYPE, ...fields], ...bodies);
    expect([status, headers.connection]).toEqual([413, 'close']);
    expect(JSON.parse(body).detail).toBe('The body may be 20 bytes long at most.');
  });

  it.each([
    ['text/plain', 'The body is declared as text/plain; it takes application/json.'],
    ['application/json; charset=latin1', 'The body must be encoded in UTF-8.'],
    ['application/json; charset=xutf-8', 'The body must be encoded in UTF-8.'],
    ['application/json; charset=utf-8x', 'The body must be encoded in UTF-8.'],
  ])('declared as %s, is refused with what is taken', async (type, detail) => {
    const { body, headers, status } = await post('{"a":"b"}', `Content-Type: ${type}`);
    expect([status, headers['accept-post']]).toEqual([415, 'application/json']);
    expect(JSON.parse(body).detail).toBe(detail);
  });

  it.each([
    'application/json',
    ' APPLICATION/JSON ; charset=UTF-8',
    'application/json;charset="utf8"',
    'application/json; profile=x; charset=utf-8',
  ])('declared as %j, is read', async (type) => {
    expect((await post('{"a":"b"}', `Content-Type: ${type}`)).status).toBe(200);
  });

  it('of a PATCH without a type, is refused with what that takes', async () => {
    const { body, headers } = await send('PATCH', ['Content-Length: 2'], '{}');
    const taken = 'application/merge-patch+json, application/json';
    expect(headers['accept-patch']).toBe(taken);
    expect(JSON.parse(body).detail).toBe(
      'The body has no Content-Type; it takes application/merge-patch+json or application/json.',
    );
  });

  it('in a content coding, is refused', async () => {
    const { body, headers } = await post('{"a":"b"}', JSON_TYPE, 'Content-Encoding: gzip');
    expect(headers).toMatchObject({
      'accept-encoding': 'identity',
      'accept-post': 'application/json',
    });
    expect(JSON.parse(body).detail).toBe('The body must be sent without Content-Encoding.');
    expect((await post('{"a":"b"}', JSON_TYPE, 'Content-Encoding: identity')).status).toBe(200);
  });
});
