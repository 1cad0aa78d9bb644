import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { localDirectories } from '../../../../services/local/system/directory.ts';
import { startRedisPart } from '../../../../services/local/system/redis-part.ts';
import { readSettings } from '../../../../services/local/system/settings.ts';

let guardian: Guardian;
let server: Server;

beforeAll(async () => {
  guardian = startGuardian();
  // Takes connections, and never responds.
  server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.close();
  await guardian.close();
});

async function notesOn(REDIS_URL: string) {
  const settings = readSettings({ REDIS_URL }, { followLogs: false, highLimits: false }, () => []);
  const part = await startRedisPart(settings, localDirectories(tmpdir()), guardian, () => {});
  expect(part.url).toBe(REDIS_URL);
  return part.line.notes;
}

describe('a Redis that REDIS_URL names', () => {
  const url = () => `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;

  it('where nothing listens, is said not to answer', async () => {
    expect(await notesOn('redis://127.0.0.1:1')).toEqual([
      expect.stringMatching(/does not respond \(.*ECONNREFUSED.*\): the system runs without/),
    ]);
  });

  it('that is silent, is said not to answer', async () => {
    expect(await notesOn(url())).toEqual([expect.stringContaining('does not respond')]);
  });
});
