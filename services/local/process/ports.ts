import { createServer } from 'node:net';
import { isErrorWithCode } from './process-life.ts';

const LOOPBACK = '127.0.0.1';

/** Whether this port of the loopback address can be listened on now. */
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
 * A port of the loopback address that nothing listens on.
 * Somebody else may take it before you do: be ready to ask again.
 * @param preferred taken when it is free.
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
