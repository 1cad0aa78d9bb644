import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Whether something accepts connections there. */
export function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

/**
 * Addresses of this machine, other than 127.0.0.1, at which a server answers that listens on all of them. Linux has
 * the whole of 127.0.0.0/8, so there is always one.
 */
export function otherAddresses(): string[] {
  const external = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  return process.platform === 'linux' ? [...external, '127.0.0.2'] : external;
}
