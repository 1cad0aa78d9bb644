import { createServer } from 'node:net';
import { isErrorWithCode } from './process-life.ts';

const LOOPBACK = '127.0.0.1';

export async function isPortFree(port: number): Promise<boolean> {
  try {
    await listenOnce(port);
    return true;
  } catch (error) {
    if (isErrorWithCode(error, 'EADDRINUSE', 'EACCES')) return false;
    throw error;
  }
}

/**
 * A free port of the loopback address. Another program may take it first: be ready to ask again.
 *
 * @param preferred - taken when it is free.
 */
export async function findFreePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && preferred !== 0 && (await isPortFree(preferred))) return preferred;
  return await listenOnce(0);
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
