import type { Socket } from 'node:net';
import { Problem } from './problem.ts';
import { securityHeaders } from './response-headers.ts';

/** All headers of a request together, in bytes. */
export const HEADERS_MAXIMUM_BYTES = 16_384;

/** The problem of a request that Node.js could not read as HTTP. */
export function clientProblem(code: string | undefined): Problem {
  if (code === 'HPE_HEADER_OVERFLOW') {
    const detail = `The headers may be ${HEADERS_MAXIMUM_BYTES} bytes long together.`;
    return new Problem('headers-too-large', detail);
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem('request-timeout', 'The request did not arrive in time.');
  }
  return new Problem('malformed-request', 'The request is not valid HTTP.');
}

/**
 * Answers where Node.js has no request to answer: by hand, and as the last on the connection. It is cut when the client has not closed it in time:
 * to close it while the client still sends would reset it, and with it goes the response.
 */
export function refuseByHand(socket: Socket, problem: Problem, milliseconds: number): void {
  // What comes after what was refused is refused again.
  if (socket.writableEnded) return;
  const details = problem.details(undefined);
  const body = JSON.stringify(details);
  const headers = {
    ...securityHeaders,
    ...problem.headers,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${details.title}\r\n${head.join('')}\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), milliseconds).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}
