import { connect } from 'node:net';
import { expect } from 'vitest';

/** A request with an id of its own, so that the whole of the response can be compared. */
export function rawGet(
  path: string,
  headers: readonly string[] = [],
  line = `GET ${path} HTTP/1.1`,
): string {
  return [line, 'Host: localhost:3000', 'X-Request-Id: the-same-id', ...headers, '', ''].join(
    '\r\n',
  );
}

/**
 * Sends bytes over a connection of their own.
 *
 * @returns all that comes back until the server closes or `answers` answers are there, one byte in each character; but for the time in
 * Date, which is not the same for two servers.
 */
export function sendBytes(port: number, request: string, responses = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      if (isWhole(received, responses, request.startsWith('HEAD '))) socket.end();
    });
    socket.on('close', () =>
      resolve(
        received.replaceAll(/^Date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r$/gm, 'Date: now\r'),
      ),
    );
    socket.on('error', reject);
    socket.write(request);
  });
}

/** @param bodiless - whether the length in the head is of a body that does not come. */
function isWhole(received: string, responses: number, bodiless: boolean): boolean {
  let rest = received;
  for (let response = 0; response < responses; response += 1) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return false;
    const announced = /^content-length: (\d+)/im.exec(rest.slice(0, end))?.[1] ?? 0;
    const length = bodiless ? 0 : Number(announced);
    if (rest.length < end + 4 + length) return false;
    rest = rest.slice(end + 4 + length);
  }
  return true;
}

/** Sends the same to two servers, which must answer with the same bytes; these are returned. */
export async function expectSameResponses(
  servers: readonly { readonly port: number }[],
  request: string,
  responses = 1,
): Promise<string> {
  const [one = '', other] = await Promise.all(
    servers.map(({ port }) => sendBytes(port, request, responses)),
  );
  expect(one).toBe(other);
  return one;
}
