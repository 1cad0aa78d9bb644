import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMigratedDatabase, type TestDatabase } from '../../../support/database.ts';
import { startTestApi, type TestApi, testEnvironment } from '../support/api.ts';
import { runProgram } from '../support/program.ts';

interface ReceivedResponse {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

let database: TestDatabase;
let directory: string;
let api: TestApi;

beforeAll(async () => {
  database = await createMigratedDatabase();
  directory = await mkdtemp(join(tmpdir(), 'headroom-diagnostics-'));
  api = await startTestApi({
    database,
    environment: {
      INTERNAL_PORT: '0',
      INTERNAL_HOST: '0.0.0.0',
      DIAGNOSTICS_DIRECTORY: join(directory, 'of', 'diagnostics'),
    },
  });
});
afterAll(async () => {
  await api.stop();
  await rm(directory, { recursive: true });
  await database.drop();
});

async function ask(
  method: string,
  path: string,
  options: {
    body?: unknown;
    headers?: Record<string, string>;
    host?: string;
    api?: TestApi;
    port?: number;
  } = {},
): Promise<ReceivedResponse> {
  const { body, headers = {}, host = '127.0.0.1' } = options;
  const port = options.port ?? (options.api ?? api).service.internalPort;
  return await new Promise((resolve, reject) => {
    // Not fetch, which would not send the headers of a browser.
    const sent = request({ host, port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (bytes) => {
        text += bytes;
      });
      response.once('end', () => {
        const isJson = /json/.test(response.headers['content-type'] ?? '');
        resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : { text } });
      });
    });
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** An address of this machine that is not loopback; there may be none. */
const otherAddress = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

describe('The internal port', () => {
  it('is another one than the public one, which knows nothing of what it answers', async () => {
    expect(api.service.internalPort).not.toBe(api.port);
    for (const [method, path] of [
      ['GET', '/metrics'],
      ['GET', '/log-level'],
      ['PUT', '/log-level'],
      ['POST', '/diagnostics/heap-snapshot'],
      ['POST', '/diagnostics/cpu-profile'],
    ] as const) {
      expect((await api.call(method, path)).status, path).toBe(404);
    }
  });

  it('is not there unless it is asked for', async () => {
    const without = await startTestApi({ database });
    expect(without.service.internalPort).toBeNull();
    await without.stop();
  });

  it('says what it has, where nothing is', async () => {
    const { body, status } = await ask('GET', '/');
    expect(status).toBe(404);
    expect(body.detail).toMatch(/GET \/metrics/);
  });

  it('that is taken ends the program with a message that names it, and nothing left running', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const program = runProgram('services/user-api/main.ts', {
      ...(await testEnvironment({ database })),
      INTERNAL_PORT: String(port),
    });

    expect(await program.exited).toBe(1);
    expect(program.errors()).toContain(
      `Port ${port} on 127.0.0.1 (INTERNAL_PORT, INTERNAL_HOST) is taken by another program.`,
    );
    taken.close();
  });

  it('refuses web pages, so that none reaches it through an operator’s browser', async () => {
    const post = (headers: Record<string, string>) =>
      ask('POST', '/diagnostics/cpu-profile?seconds=1', { headers });

    expect((await post({ origin: 'http://evil.example' })).status).toBe(403);
    expect((await post({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(
      (await ask('GET', '/metrics', { headers: { 'sec-fetch-site': 'cross-site' } })).status,
    ).toBe(403);
    // Typed into the address bar.
    expect((await ask('GET', '/metrics', { headers: { 'sec-fetch-site': 'none' } })).status).toBe(
      200,
    );
  });

  it('refuses a Host that is a name, so that no page reaches it by one that resolves here', async () => {
    const statusFor = async (method: string, path: string, host: string) =>
      (await ask(method, path, { headers: { host } })).status;

    expect(await statusFor('GET', '/metrics', 'rebound.example')).toBe(421);
    expect(await statusFor('POST', '/diagnostics/heap-snapshot', 'rebound.example:1')).toBe(421);
    expect(await statusFor('GET', '/nothing', 'rebound.example')).toBe(421);
    expect(await statusFor('GET', '/metrics', 'localhost:9464')).toBe(200);
    expect(await statusFor('GET', '/metrics', '10.1.2.3')).toBe(200);
  });

  it.runIf(otherAddress !== undefined)(
    'gives others than this machine metrics, and nothing else',
    async () => {
      const host = otherAddress ?? '';
      const from = (method: string, path: string) => ask(method, path, { host });

      expect((await from('GET', '/metrics')).status).toBe(200);
      expect((await from('GET', '/log-level')).status).toBe(403);
      expect((await from('PUT', '/log-level')).status).toBe(403);
      expect((await from('POST', '/diagnostics/heap-snapshot')).status).toBe(403);
      expect((await from('GET', '/diagnostics/files/x')).status).toBe(403);
    },
  );
});

describe('The level of the log', () => {
  const levelsSince = (start: number) => [
    ...new Set(api.log.slice(start).map(({ level }) => level)),
  ];

  it('is shown, and changes without a restart', async () => {
    expect((await ask('GET', '/log-level')).body).toEqual({ level: 'info' });
    expect(await ask('PUT', '/log-level', { body: { level: 'error' } })).toEqual({
      status: 200,
      body: { level: 'error' },
    });
    const quiet = api.log.length;
    await api.call('GET', '/health/live');
    await wait(20);
    expect(levelsSince(quiet)).toEqual([]);

    await ask('PUT', '/log-level', { body: { level: 'info' } });
    const talkative = api.log.length;
    await api.call('GET', '/health/live');
    await expect.poll(() => levelsSince(talkative)).toEqual(['info']);
  });

  it('that changes is logged, whichever way it goes', async () => {
    const start = api.log.length;
    await ask('PUT', '/log-level', { body: { level: 'silent' } });
    await ask('PUT', '/log-level', { body: { level: 'info' } });

    expect(api.log.slice(start)).toEqual([
      expect.objectContaining({ from: 'info', to: 'silent' }),
      expect.objectContaining({ from: 'silent', to: 'info' }),
    ]);
  });

  it.each([undefined, {}, { level: 'loud' }, { level: 'info', more: 1 }, 'info'])(
    'is not changed by %j, which gets what it takes',
    async (body) => {
      const answer = await ask('PUT', '/log-level', { body });

      expect(answer.status).toBe(400);
      expect(answer.body.detail).toContain('trace, debug, info');
      expect((await ask('GET', '/log-level')).body).toEqual({ level: 'info' });
    },
  );
});

describe('Diagnostics', () => {
  it('are not to be had unless a folder for them is set', async () => {
    const without = await startTestApi({ database, environment: { INTERNAL_PORT: '0' } });
    for (const kind of ['heap-snapshot', 'cpu-profile']) {
      const answer = await ask('POST', `/diagnostics/${kind}`, { api: without });
      expect(answer.status).toBe(403);
      expect(answer.body.detail).toContain('DIAGNOSTICS_DIRECTORY');
    }
    await without.stop();
  });

  it('give a heap snapshot that is whole, for this user only', { timeout: 90_000 }, async () => {
    // A process of its own: the heap of the tests is many times as large.
    const program = runProgram('services/user-api/main.ts', {
      ...(await testEnvironment({ database })),
      INTERNAL_PORT: '0',
      DIAGNOSTICS_DIRECTORY: join(directory, 'of', 'diagnostics'),
    });
    const [{ internalPort }] = await once(program.process, 'message');
    const { body, status } = await ask('POST', '/diagnostics/heap-snapshot', {
      port: internalPort,
    });
    program.process.kill('SIGKILL');
    const path = String(body.path);
    const text = await readFile(path, 'utf8');
    const { mode, size } = await stat(path);

    expect(status).toBe(201);
    expect(body.bytes).toBe(size);
    expect(Number(/"node_count":(\d+)/.exec(text.slice(0, 10_000))?.[1])).toBeGreaterThan(1_000);
    expect(text.trimEnd().slice(-2)).toBe(']}');
    expect(mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, 'of', 'diagnostics'))).mode & 0o777).toBe(0o700);
  });

  it('give a CPU profile of as long as was asked for, with requests answered meanwhile', async () => {
    const profiling = ask('POST', '/diagnostics/cpu-profile?seconds=1');
    await wait(100);
    const concurrent = await ask('POST', '/diagnostics/cpu-profile?seconds=1');
    const served = await api.call('GET', '/health/live');
    const { body, status } = await profiling;
    const profile = JSON.parse(await readFile(String(body.path), 'utf8'));

    expect(status).toBe(201);
    expect(served.status).toBe(200);
    expect(concurrent.status).toBe(409);
    expect(profile.endTime - profile.startTime).toBeGreaterThan(900_000);
    expect(profile.samples.length).toBeGreaterThan(10);
    expect((await stat(String(body.path))).mode & 0o777).toBe(0o600);
  });

  it('can be downloaded through the port, and nothing else of the disk can', async () => {
    const names = await readdir(join(directory, 'of', 'diagnostics'));
    const name = names.find((file) => file.endsWith('.cpuprofile'));
    await writeFile(join(directory, 'of', 'secret.txt'), 'secret');
    const file = await ask('GET', `/diagnostics/files/${name}`);
    const statusOf = async (path: string) => (await ask('GET', path)).status;

    expect(file.status).toBe(200);
    expect(JSON.parse(String(file.body.text))).toBeTypeOf('object');
    expect(await statusOf('/diagnostics/files/../secret.txt')).toBe(404);
    expect(await statusOf('/diagnostics/files/..%2Fsecret.txt')).toBe(404);
    expect(await statusOf('/diagnostics/files/cpu-x%2F..%2F..%2Fsecret.cpuprofile')).toBe(404);
    expect(await statusOf('/diagnostics/files/heap-gone.heapsnapshot')).toBe(404);
  });

  it.each(['0', '61', '1.5', 'x', '-1', ''])('take no profile of %j seconds', async (seconds) => {
    const answer = await ask('POST', `/diagnostics/cpu-profile?seconds=${seconds}`);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain('1 to 60');
  });

  it('end with the service, the profile that is in flight too', async () => {
    const other = await startTestApi({
      database,
      environment: { INTERNAL_PORT: '0', DIAGNOSTICS_DIRECTORY: join(directory, 'other') },
    });
    const profiling = ask('POST', '/diagnostics/cpu-profile?seconds=60', { api: other });
    profiling.catch(() => {});
    await wait(100);
    await other.stop();

    await expect(profiling).rejects.toThrow();
  });

  it('say which folder it is that takes no files', async () => {
    const file = join(directory, 'a-file');
    await writeFile(file, '');
    const other = await startTestApi({
      database,
      environment: { INTERNAL_PORT: '0', DIAGNOSTICS_DIRECTORY: file },
    });
    const answer = await ask('POST', '/diagnostics/heap-snapshot', { api: other });
    await other.stop();

    expect(answer.status).toBe(500);
    expect(answer.body.detail).toContain(`${file} (DIAGNOSTICS_DIRECTORY)`);
  });
});
