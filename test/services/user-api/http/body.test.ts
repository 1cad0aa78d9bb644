import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUser, startApiOnNewDatabase } from '../support/api.ts';
import { sendRaw } from '../support/raw-http.ts';

const LIMIT_BYTES = 2_048;
const HEAD = ['POST /api/v1/users HTTP/1.1', 'Host: a', 'Content-Type: application/json'];
const END = '0\r\n\r\n';

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const chunkedHead = [...HEAD, 'Transfer-Encoding: chunked', '', ''].join('\r\n');

/** As small texts, which are cut within characters of several bytes. */
function piecesOf(body: object): Buffer[] {
  const bytes = Buffer.from(JSON.stringify(body));
  return Array.from({ length: Math.ceil(bytes.length / 5) }, (_, index) =>
    bytes.subarray(5 * index, 5 * (index + 1)),
  );
}

describe('a body', () => {
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  beforeAll(async () => {
    api = await startApiOnNewDatabase({
      readers: false,
      environment: { REQUEST_BODY_LIMIT_BYTES: String(LIMIT_BYTES) },
    });
  });
  afterAll(() => api.stop());

  it('that is there with its head, in chunks, is read whole', async () => {
    const user = newUser({ name: 'Ädä €' });
    const chunks = piecesOf(user).flatMap((piece) => [
      Buffer.from(`${piece.length.toString(16)}\r\n`),
      piece,
      Buffer.from('\r\n'),
    ]);
    const response = await sendRaw(
      api.port,
      Buffer.concat([Buffer.from(chunkedHead), ...chunks, Buffer.from(END)]),
    );
    expect(response.status, response.body).toBe(201);
    expect(JSON.parse(Buffer.from(response.body, 'latin1').toString())).toMatchObject(user);
  });

  it('that comes piece by piece, is read whole', async () => {
    const user = newUser({ name: 'Ädä €' });
    const length = Buffer.byteLength(JSON.stringify(user));
    const head = [...HEAD, `Content-Length: ${length}`, '', ''].join('\r\n');
    const response = await sendRaw(api.port, head, ...piecesOf(user));
    expect(response.status, response.body).toBe(201);
  });

  it.each([0, 1])(
    'that is there with its head, %i bytes over the limit, is what the limit means',
    async (over) => {
      const body = JSON.stringify(newUser()).padEnd(LIMIT_BYTES + over, ' ');
      const response = await sendRaw(api.port, `${chunkedHead}${chunk(body)}${END}`);
      expect(response.status, response.body).toBe(over === 0 ? 201 : 413);
    },
  );

  it('that is there with its head and empty, is refused as such', async () => {
    const response = await sendRaw(api.port, `${chunkedHead}${END}`);
    expect(response.status).toBe(400);
    expect(JSON.parse(response.body)).toMatchObject({ detail: 'The body is empty.' });
  });

  it('that is there with its head, leaves the connection to the next request', async () => {
    const request = () => {
      const body = JSON.stringify(newUser());
      return [...HEAD, `Content-Length: ${body.length}`, '', body].join('\r\n');
    };
    const last = 'GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const received = await receiveAll(`${request()}${request()}${last}`);
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual([
      'HTTP/1.1 201',
      'HTTP/1.1 201',
      'HTTP/1.1 200',
    ]);
  });

  /** All that comes over a connection, until it is closed. */
  async function receiveAll(sent: string): Promise<string> {
    const socket = connect(api.port, '127.0.0.1');
    socket.write(sent);
    return await text(socket);
  }
});
