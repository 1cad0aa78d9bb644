import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort, isPortFree } from '../../../../services/local/process/ports.ts';

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

describe('isPortFree', () => {
  it('says false, when somebody listens there, and true, when nobody does any more', async () => {
    const { server, port } = await listen();
    expect(await isPortFree(port)).toBe(false);

    server.close();
    await once(server, 'close');

    expect(await isPortFree(port)).toBe(true);
  });
});

describe('findFreePort', () => {
  it('gives another port that is free, when the preferred one is taken', async () => {
    const { port } = await listen();

    const found = await findFreePort(port);

    expect(found).not.toBe(port);
    expect(await isPortFree(found)).toBe(true);
  });

  it('gives the preferred port, when it is free', async () => {
    const port = await findFreePort();

    expect(await findFreePort(port)).toBe(port);
  });
});
