import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between the service and a real server, to take the way to it away and give it back. */
export interface TcpProxy {
  readonly port: number;
  /** `url` with the host and port of the proxy. */
  through(url: string): string;
  /** Connections that are open now. */
  connections(): number;
  /** Refuses new connections and cuts those that are open. */
  refuse(): Promise<void>;
  /** Keeps connections open, takes new ones, and passes nothing on ever again on any of them: a network that lost them. */
  silence(): void;
  /** Takes new connections and passes everything on, on those. */
  restore(): Promise<void>;
  /** Passes new connections on to the server of `url`, and cuts those that are open: a name that moves in a failover. */
  retarget(url: string): void;
  /** Passes new connections on to the server of `url`, and leaves those that are open: a server that was demoted, and goes on answering. */
  retargetNew(url: string): void;
  close(): Promise<void>;
}

/** Starts a proxy to the server of `targetUrl` on a free port of the loopback address. */
export async function startTcpProxy(targetUrl: string): Promise<TcpProxy> {
  let target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  /** Client ends on which nothing is passed on. */
  const lost = new WeakSet<Socket>();
  let silent = false;

  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const createListener = () =>
    createServer((client) => {
      track(client);
      if (silent) {
        lost.add(client);
        return;
      }
      const server = connect(Number(target.port), target.hostname);
      track(server);
      client.on('data', (bytes) => lost.has(client) || server.write(bytes));
      server.on('data', (bytes) => lost.has(client) || client.write(bytes));
      client.on('close', () => server.destroy());
      server.on('close', () => lost.has(client) || client.destroy());
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
    refuse: stopListening,
    silence() {
      silent = true;
      for (const socket of sockets) lost.add(socket);
    },
    async restore() {
      silent = false;
      if (listener !== undefined) return;
      listener = createListener();
      await listen(listener, port);
    },
    retarget(url) {
      target = new URL(url);
      cut();
    },
    retargetNew(url) {
      target = new URL(url);
    },
    close: stopListening,
  };
}
