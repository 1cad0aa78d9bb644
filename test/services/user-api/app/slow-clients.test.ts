import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problem } from '../../../../services/contracts/problem.ts';
import { sampleOf, scrape } from '../observability/support/scrape.ts';
import { startApiOnNewDatabase, type TestApi } from '../support/api.ts';

const HEADERS_TIMEOUT_MILLISECONDS = 400;
const DEADLINE_MILLISECONDS = 500;
/** Often enough that a server which counts from the last byte would never end it. */
const PAUSE_MILLISECONDS = 20;
/** A client that nobody cuts gives up after so many of them: many times what any limit says. */
const PIECES_MAXIMUM = 1_000;

interface Trickled {
  /** What the server said before it closed the connection. */
  readonly received: string;
  /** Whether the server closed it, rather than the client, which was at its end. */
  readonly cut: boolean;
  readonly milliseconds: number;
}

/**
 * Sends `head` at once, then `piece` again and again, until the server closes the connection.
 *
 * @param onConnect - called when the server has the connection.
 */
function trickle(
  port: number,
  head: string,
  piece: string,
  onConnect: () => void = () => {},
): Promise<Trickled> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = connect(port, '127.0.0.1', onConnect);
    let received = '';
    let pieces = 0;
    let cut = true;
    const timer = setInterval(() => {
      pieces += 1;
      if (pieces > PIECES_MAXIMUM) {
        cut = false;
        socket.destroy();
      } else if (piece !== '' && socket.writable) {
        socket.write(piece);
      }
    }, PAUSE_MILLISECONDS);
    // The server may be gone while a piece is on its way.
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
    });
    socket.on('close', () => {
      clearInterval(timer);
      resolve({ received, cut, milliseconds: performance.now() - startedAt });
    });
    if (head !== '') socket.write(head);
  });
}

const HEAD = 'POST /api/v1/users HTTP/1.1\r\nHost: x\r\n';

describe('a client that is slow on purpose', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApiOnNewDatabase({
      readers: false,
      environment: {
        REQUEST_HEADERS_TIMEOUT_MILLISECONDS: String(HEADERS_TIMEOUT_MILLISECONDS),
        INTERNAL_PORT: '0',
        REQUEST_DEADLINE_MILLISECONDS: String(DEADLINE_MILLISECONDS),
      },
    });
  });
  afterAll(() => api.stop());

  const connections = async () =>
    sampleOf(await scrape(api.service.internalPort), 'http_server_connections');

  it.each([
    ['header by header', HEAD, 'x-header: value\r\n'],
    ['byte by byte', HEAD, 'x'],
    ['not at all', '', ''],
  ])('with the headers %s, gets 408 and is cut', async (_how, head, piece) => {
    const { cut, milliseconds, received } = await trickle(api.port, head, piece);

    expect(cut).toBe(true);
    expect(milliseconds).toBeGreaterThanOrEqual(HEADERS_TIMEOUT_MILLISECONDS);
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
    expect(received).toMatch(/\r\nconnection: close\r\n/);
    const body = received.slice(received.indexOf('\r\n\r\n') + 4);
    expect(problem.parse(JSON.parse(body)).type).toBe('/problems/request-timeout');
  });

  it('with the body, byte by byte, gets 408 and is cut', async () => {
    const head = `${HEAD}Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{`;
    const { cut, milliseconds, received } = await trickle(api.port, head, ' ');

    expect(cut).toBe(true);
    expect(milliseconds).toBeGreaterThanOrEqual(DEADLINE_MILLISECONDS);
    expect(received).toMatch(/^HTTP\/1\.1 408 /);
    expect(received).toMatch(/\r\nconnection: close\r\n/i);
  });

  it('in hundreds, keeps nobody else waiting, and leaves no connection behind', async () => {
    // Not read from the metrics: on a busy machine the clients are cut before those are there.
    const connected = Array.from({ length: 200 }, () => Promise.withResolvers<void>());
    const slow = Promise.all(
      connected.map(({ resolve }) => trickle(api.port, HEAD, 'x-header: value\r\n', resolve)),
    );
    await Promise.all(connected.map(({ promise }) => promise));

    for (let time = 0; time < 20; time += 1) {
      expect((await api.call('GET', '/health/live')).status).toBe(200);
    }

    expect((await slow).every(({ cut }) => cut)).toBe(true);
    await expect.poll(connections).toBeLessThan(5);
  });

  it('to read the responses, is cut', async () => {
    const requests = 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100);
    const readers = Array.from({ length: 5 }, () => {
      const socket = connect(api.port, '127.0.0.1').pause();
      socket.on('error', () => {});
      socket.write(requests);
      return socket;
    });
    await expect.poll(connections).toBeGreaterThanOrEqual(readers.length);

    await expect.poll(connections, { timeout: 10_000 }).toBeLessThan(readers.length);
    for (const socket of readers) socket.destroy();
  });
});
