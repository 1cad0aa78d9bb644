import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a {@link TcpProxy} does with connections. */
export type ProxyState = 'forwarding' | 'silent' | 'refusing';

/** Stands between the service and a real server, to take the way to it away and give it back. */
export interface TcpProxy {
  readonly port: number;
  /** `url` with the host and port of the proxy. */
  through(url: string): string;
  /** Connections that are open now. */
  connections(): number;
  /** Refuses new connections and cuts those that are open. */
  refuse(): Promise<void>;
  /** Keeps connections open, takes new ones, and passes nothing on: what a lost network looks like. */
  silence(): void;
  /** Passes everything on again, on new connections. */
  restore(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy to the server of `targetUrl` on a free port of the loopback address. */
export async function startTcpProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let state: ProxyState = 'forwarding';

  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const createListener = () =>
    createServer((client) => {
      track(client);
      if (state === 'silent') return;
      const server = connect(Number(target.port), target.hostname);
      track(server);
      client.on('data', (bytes) => state === 'forwarding' && server.write(bytes));
      server.on('data', (bytes) => state === 'forwarding' && client.write(bytes));
      client.on('close', () => server.destroy());
      server.on('close', () => state === 'forwarding' && client.destroy());
    });
  const listen = (server: Server, port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };

  let listener: Server | undefined = createListener();
  await listen(listener, 0);
  const { port } = listener.address() as AddressInfo;
  const stopListening = () =>
    new Promise<void>((resolve) => {
      const server = listener;
      listener = undefined;
      cut();
      if (server === undefined) resolve();
      else server.close(() => resolve());
    });

  return {
    port,
    through(url) {
      const changed = new URL(url);
      changed.hostname = '127.0.0.1';
      changed.port = String(port);
      return changed.href;
    },
    connections: () => sockets.size,
    async refuse() {
      state = 'refusing';
      await stopListening();
    },
    silence() {
      state = 'silent';
    },
    async restore() {
      cut();
      state = 'forwarding';
      if (listener !== undefined) return;
      listener = createListener();
      await listen(listener, port);
    },
    close: stopListening,
  };
}
