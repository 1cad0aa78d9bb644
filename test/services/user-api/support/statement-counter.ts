import { type AddressInfo, connect, createServer } from 'node:net';

/** Stands between the service and PostgreSQL, and counts the statements that the service sends. */
export interface StatementCounter {
  /** `url` with the host and port of the counter. */
  through(url: string): string;
  /** Statements since the last time, or since the start. */
  take(): number;
  close(): Promise<void>;
}

/** Of the frontend's messages (https://www.postgresql.org/docs/current/protocol-message-formats.html), those that run something. */
const EXECUTE = 0x45; // E
const QUERY = 0x51; // Q
const HEAD_BYTES = 5;

/** Reads a client's side of one connection, in whatever pieces it comes, and tells of each statement. */
function statementReader(onStatement: () => void): (piece: Buffer) => void {
  let rest = Buffer.alloc(0);
  let started = false;
  return (piece) => {
    rest = Buffer.concat([rest, piece]);
    while (rest.length >= HEAD_BYTES) {
      // The first message has no type.
      const length = started ? 1 + rest.readInt32BE(1) : rest.readInt32BE(0);
      if (rest.length < length) return;
      if (started && (rest[0] === EXECUTE || rest[0] === QUERY)) onStatement();
      started = true;
      rest = rest.subarray(length);
    }
  };
}

/** Starts a counter in front of the server of `targetUrl`, which must speak without TLS. */
export async function startStatementCounter(targetUrl: string): Promise<StatementCounter> {
  const { hostname, port } = new URL(targetUrl);
  let count = 0;
  const server = createServer((client) => {
    const read = statementReader(() => {
      count += 1;
    });
    const upstream = connect(Number(port), hostname);
    client.on('data', read);
    client.pipe(upstream).pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: ownPort } = server.address() as AddressInfo;
  return {
    through(url) {
      const changed = new URL(url);
      changed.hostname = '127.0.0.1';
      changed.port = String(ownPort);
      return changed.href;
    },
    take() {
      const taken = count;
      count = 0;
      return taken;
    },
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
