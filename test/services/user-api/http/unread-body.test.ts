import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUser, startApiOnNewDatabase, type TestApi } from '../support/api.ts';
import { sendRaw } from '../support/raw-http.ts';

/** More than all buffers between client and server hold, so that the server has answered while the client still sends. */
const BODY_BYTES = 12_000_000;
const CHUNK = Buffer.alloc(65_536, 'x');
const POST = 'POST /api/v1/users HTTP/1.1\r\nHost: a\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const LENGTH = `Content-Length: ${BODY_BYTES}\r\n`;

let api: TestApi;
beforeAll(async () => {
  api = await startApiOnNewDatabase({
    readers: false,
    environment: {
      RATE_LIMITS: 'logins=1/60',
      REQUEST_HEADERS_TIMEOUT_MILLISECONDS: '2000',
    },
  });
});
afterAll(() => api.stop());

/** As ordinary clients do: sends all of a request before it reads anything. */
async function sendThenRead(head: string): Promise<string> {
  const socket = connect(api.port, '127.0.0.1');
  socket.pause();
  const isChunked = /chunked/.test(head);
  socket.write(`${head}\r\n`);
  for (let sent = 0; sent < BODY_BYTES; sent += CHUNK.length) {
    const part = CHUNK.subarray(0, BODY_BYTES - sent);
    if (isChunked) socket.write(`${part.length.toString(16)}\r\n`);
    const isTaken = socket.write(part);
    if (isChunked) socket.write('\r\n');
    if (!isTaken) await once(socket, 'drain');
  }
  if (isChunked) socket.write('0\r\n\r\n');
  const response = once(socket, 'data');
  socket.resume();
  const [first] = await response;
  socket.destroy();
  return String(first).split('\r\n')[0] ?? '';
}

describe('a client that sends a large body before it reads', () => {
  it.each([
    ['the body is too large', POST + JSON_TYPE + LENGTH, 413],
    ['the body is too large, in chunks', `${POST}${JSON_TYPE}Transfer-Encoding: chunked\r\n`, 413],
    ['the media type is another', `${POST}Content-Type: text/plain\r\n${LENGTH}`, 415],
    ['the credentials are wrong', `${POST}Authorization: Bearer x\r\n${JSON_TYPE}${LENGTH}`, 401],
    ['the API key is wrong', `${POST}X-API-Key: x\r\n${JSON_TYPE}${LENGTH}`, 401],
    ['there are two Hosts', `${POST}Host: b\r\n${JSON_TYPE}${LENGTH}`, 400],
    ['the target is too long', `POST /${'a'.repeat(3_000)} HTTP/1.1\r\nHost: a\r\n${LENGTH}`, 414],
    ['nothing is there', `POST /nothing HTTP/1.1\r\nHost: a\r\n${LENGTH}`, 404],
    ['the method is not taken', `POST /health/live HTTP/1.1\r\nHost: a\r\n${LENGTH}`, 405],
    ['a read has a body', `GET /health/live HTTP/1.1\r\nHost: a\r\n${LENGTH}`, 200],
    ['the headers are too large', `${POST}X-Long: ${'a'.repeat(20_000)}\r\n${LENGTH}`, 431],
    ['the lengths contradict', `${POST}${LENGTH}Transfer-Encoding: chunked\r\n`, 400],
    ['it expects something unknown', `${POST}Expect: tea\r\n${LENGTH}`, 417],
  ])('can read the response when %s', async (_when, head, status) => {
    expect(await sendThenRead(head)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  it('can read the response when it has sent too many requests', async () => {
    const login = `POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\n${JSON_TYPE}${LENGTH}`;
    await sendThenRead(login);
    expect(await sendThenRead(login)).toMatch(/^HTTP\/1\.1 429 /);
  });

  it('is cut when the body does not end in time', async () => {
    const socket = connect(api.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    socket.write(`${POST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`);
    const sending = setInterval(() => socket.write('1\r\nx\r\n'.repeat(20_000)), 20);
    socket.resume();
    await closed;
    clearInterval(sending);
  });

  it('keeps its connection when the rest of a refused body comes', async () => {
    const socket = connect(api.port, '127.0.0.1');
    socket.write(`${POST}Content-Type: text/plain\r\nContent-Length: 5\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 415 /);
    socket.write('12345GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a client that waits for 100 before it sends the body', () => {
  const EXPECT = 'Expect: 100-continue\r\n';

  it.each([
    ['too large', `${POST}${EXPECT}${JSON_TYPE}Content-Length: 9999999\r\n\r\n`, 413],
    [
      'of another type',
      `${POST}${EXPECT}Content-Type: text/plain\r\nContent-Length: 9\r\n\r\n`,
      415,
    ],
    [
      'of somebody unknown',
      `${POST}${EXPECT}Authorization: Bearer x\r\n${JSON_TYPE}Content-Length: 9\r\n\r\n`,
      401,
    ],
  ])('and is refused for a body %s, gets the refusal alone', async (_why, head, status) => {
    const answer = await sendRaw(api.port, head);
    expect(answer.status).toBe(status);
    expect(answer.headers.connection).toBe('close');
  });

  it('and is not refused, gets 100 and then the response', async () => {
    const body = JSON.stringify(newUser());
    const socket = connect(api.port, '127.0.0.1');
    socket.write(`${POST}${EXPECT}${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(body);
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 201 /);
  });

  it('by HTTP/1.0, gets no 100, which is not known there', async () => {
    const body = JSON.stringify(newUser());
    const head = `POST /api/v1/users HTTP/1.0\r\nHost: a\r\n${EXPECT}${JSON_TYPE}`;
    const answer = await sendRaw(api.port, `${head}Content-Length: ${body.length}\r\n\r\n`, body);
    expect(answer.status, answer.body).toBe(201);
  });
});
