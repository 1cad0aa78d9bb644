import { connect } from 'node:net';

export interface RawResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The first answer in what a connection has received; null while it is not whole. */
function parse(received: string): RawResponse | null {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [statusLine = '', ...lines] = received.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = received.slice(end + 4);
  if (body.length < Number(headers['content-length'] ?? 0)) return null;
  return { status: Number(statusLine.split(' ')[1]), headers, body };
}

/**
 * Sends `parts` as they are, one after the other, over a connection of its own, and gives the first answer. For requests that no HTTP
 * client would send. Waits until the server has closed when it says that it will.
 */
export function sendRaw(
  port: number,
  ...parts: readonly (string | Buffer)[]
): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    const finish = () => {
      const response = parse(received);
      if (response === null) reject(new Error(`No whole response: ${JSON.stringify(received)}`));
      else resolve(response);
      socket.destroy();
    };
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      const response = parse(received);
      if (response !== null && response.headers.connection !== 'close') finish();
    });
    socket.on('close', finish);
    socket.on('error', () => {});
    for (const part of parts) socket.write(part);
  });
}
