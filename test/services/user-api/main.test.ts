import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { User } from '../../../services/contracts/users.ts';
import {
  createDatabase,
  createMigratedDatabase,
  type TestDatabase,
} from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { system } from '../../support/system.ts';
import { startCollector } from './observability/support/collector.ts';
import { scrape } from './observability/support/scrape.ts';
import { authorization, newUser, publicOf, testEnvironment } from './support/api.ts';
import { bundlePrograms, type Program, runProgram } from './support/program.ts';
import { receiveEvents, userIds } from './support/receive-events.ts';
import { startTcpProxy } from './support/tcp-proxy.ts';

let bundle: string;
let database: TestDatabase;
let environment: Readonly<Record<string, string>>;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'headroom-bundle-'));
  [bundle, database] = await Promise.all([bundlePrograms(directory), createMigratedDatabase()]);
  environment = await testEnvironment({ database, readerUrls: [database.readerUrl] });
});
afterAll(async () => {
  await rm(bundle, { recursive: true });
  await database.drop();
});

function run(
  changes: Readonly<Record<string, string>> = {},
  path = join(bundle, 'main.mjs'),
): Program {
  const program = runProgram(path, { ...environment, ...changes });
  onTestFinished(() => void program.process.kill('SIGKILL'));
  return program;
}

const api = (port: number, path: string, init?: RequestInit) =>
  fetch(`http://127.0.0.1:${port}${path}`, init);

const create = (port: number) =>
  api(port, '/api/v1/users', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(newUser()),
  });

/** A change that waits in the database until `release` is called. */
async function startHeldUpChange(port: number) {
  const { id } = (await (await create(port)).json()) as { id: number };
  const blocker = postgres(database.writerUrl, { max: 1 });
  const released = Promise.withResolvers<void>();
  const locked = Promise.withResolvers<void>();
  const blocking = blocker.begin(async (transaction) => {
    await transaction`select from users where id = ${id} for update`;
    locked.resolve();
    await released.promise;
  });
  await locked.promise;
  const response = api(port, `/api/v1/users/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', authorization: await authorization('admin') },
    body: '{"name":"Changed at the end"}',
  });
  response.catch(() => {});
  await eventually(async () => {
    const waiting = await postgresWaiting();
    expect(waiting).toBeGreaterThan(0);
  });
  const release = async () => {
    released.resolve();
    await blocking;
    await blocker.end();
  };
  onTestFinished(release);
  return { response, release };
}

async function postgresWaiting(): Promise<number> {
  const client = postgres(database.writerUrl, { max: 1 });
  const [row] = await client`
    select count(*)::int as count from pg_stat_activity
    where datname = ${database.name} and wait_event_type = 'Lock'`;
  await client.end();
  return row?.count;
}

describe('the bundle of the user API', () => {
  it('with an environment that is right, says that it is ready, serves, and ends with 0 on SIGTERM', async () => {
    const program = run();
    const port = await program.ready();
    const created = await create(port);
    expect(created.status).toBe(201);
    const found = await api(port, created.headers.get('location') ?? '');
    expect(await found.json()).toEqual(publicOf((await created.json()) as User));

    program.process.kill('SIGTERM');
    expect(await program.exited).toBe(0);
    expect(program.errors()).toBe('');
    const lines = program
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ message: 'Stopped', inTime: true });
  });

  it('with a collector and an internal port, records traces, has metrics, and names a variable that is misspelt', async () => {
    const collector = await startCollector();
    onTestFinished(() => collector.close());
    const program = run({
      INTERNAL_PORT: '0',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_TRACES_SAMPLER_ARG: '1',
      RATE_LIMIT: 'reads=5/60',
    });
    const port = await program.ready();
    await api(port, '/health/live');
    await expect.poll(program.output).toContain('"message":"request"');
    const lines = program.output().split('\n');
    const line = lines.find((text) => text.includes('"message":"Internal port"')) ?? '{}';
    const metrics = await scrape(JSON.parse(line).port);

    program.process.kill('SIGTERM');
    expect(await program.exited).toBe(0);
    expect([...metrics.keys()]).toContain('http_server_requests_total');
    const warning = lines.find((text) => text.includes('resembles a known one')) ?? '{}';
    expect(JSON.parse(warning)).toMatchObject({
      level: 'warn',
      variable: 'RATE_LIMIT',
      meant: 'RATE_LIMITS',
    });
    expect(collector.spans.map(({ name }) => name)).toEqual(['GET /health/live']);
  });

  it('run from the sources, is the same program', async () => {
    const program = run({}, 'services/user-api/main.ts');
    expect((await api(await program.ready(), '/health')).status).toBe(200);
    program.process.kill('SIGINT');
    expect(await program.exited).toBe(0);
  });

  it('told to end, answers what is in flight and closes its connection', async () => {
    const program = run();
    const { response, release } = await startHeldUpChange(await program.ready());
    program.process.kill('SIGTERM');
    await eventually(() => expect(program.output()).toContain('Draining'));
    await release();
    const answer = await response;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('connection')).toBe('close');
    expect(await program.exited).toBe(0);
  });

  it('with a delay, is not ready from the signal on, and still serves until the delay is over', async () => {
    const program = run({ SHUTDOWN_DELAY_MILLISECONDS: '1500' });
    const port = await program.ready();
    expect((await api(port, '/health/ready')).status).toBe(200);
    program.process.kill('SIGTERM');
    await eventually(async () => expect((await api(port, '/health/ready')).status).toBe(503));
    expect((await create(port)).status).toBe(201);
    expect((await api(port, '/health/live')).status).toBe(200);
    expect(await program.exited).toBe(0);
  });

  it('with idle connections, does not wait for them', async () => {
    const program = run();
    const port = await program.ready();
    const idle = connect(port, '127.0.0.1');
    onTestFinished(() => void idle.destroy());
    await new Promise((resolve) => idle.once('connect', resolve));
    await (await api(port, '/health/live')).text();
    program.process.kill('SIGTERM');
    expect(await program.exited).toBe(0);
  });

  it('with requests that do not end in time, cuts them and ends with 1', async () => {
    const program = run({
      SHUTDOWN_TIMEOUT_MILLISECONDS: '100',
      DATABASE_STATEMENT_TIMEOUT_MILLISECONDS: '60000',
    });
    const { response } = await startHeldUpChange(await program.ready());
    program.process.kill('SIGTERM');
    await expect(response).rejects.toThrow();
    expect(await program.exited).toBe(1);
  });

  it('told a second time, cuts what is in flight and ends with 1', async () => {
    const program = run({ SHUTDOWN_DELAY_MILLISECONDS: '60000' });
    await program.ready();
    program.process.kill('SIGTERM');
    await eventually(() => expect(program.output()).toContain('Draining'));
    program.process.kill('SIGTERM');
    expect(await program.exited).toBe(1);
  });

  it('whose parent is gone, ends', async () => {
    const program = run();
    await program.ready();
    program.process.disconnect();
    expect(await program.exited).toBe(0);
  });

  it('killed between commit and send, loses no event: another process sends it', async () => {
    const sqs = await startTcpProxy(system().sqs.endpoint);
    onTestFinished(() => sqs.close());
    sqs.silence();
    const killed = run({ SQS_ENDPOINT: `http://127.0.0.1:${sqs.port}` });
    const created = await create(await killed.ready());
    const { id } = (await created.json()) as { id: number };
    expect(created.status).toBe(201);
    killed.process.kill('SIGKILL');
    await killed.exited;

    const client = postgres(database.writerUrl, { max: 1 });
    onTestFinished(() => client.end());
    // As if the time had passed that new events are left to their own process.
    await client`update outbox set available_at = now()`;
    await run().ready();
    const events = await receiveEvents(environment.EMAIL_QUEUE_URL ?? '', (received) =>
      userIds(received).includes(id),
    );
    expect(userIds(events)).toContain(id);
  });
});

describe('the user API, when it cannot start', () => {
  it('for variables that are wrong, names each in a line of its own and ends with 1', async () => {
    const program = run({ DATABASE_URL: '', PORT: '99999', LOG_LEVEL: 'loud' });
    expect(await program.exited).toBe(1);
    const lines = program.errors().trim().split('\n');
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual([
      'DATABASE_URL',
      'LOG_LEVEL',
      'PORT',
    ]);
    expect(program.errors()).toContain('PORT got "99999"; it takes a whole number from 0 to 65535');
  });

  it('for variables that do not go together, names them and ends with 1', async () => {
    const program = run({ DATABASE_AUTHENTICATION: 'iam' });
    expect(await program.exited).toBe(1);
    expect(program.errors()).toMatch(/^DATABASE_TLS /);
    expect(program.errors()).not.toMatch(/\n\s+at /);
  });

  it('for a port that is taken, names it and the remedy and ends with 1', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const program = run({ PORT: String(port) });
    expect(await program.exited).toBe(1);
    expect(program.errors()).toMatch(
      new RegExp(`^Port ${port} on 127.0.0.1 \\(PORT, HOST\\) is taken.*set PORT`),
    );
    expect(program.errors()).not.toMatch(/\n\s+at /);
  });
});

describe('the bundle of the migrations', () => {
  it('finds the migrations beside itself and applies them', async () => {
    const empty = await createDatabase();
    onTestFinished(() => empty.drop());
    const program = run({ DATABASE_URL: empty.writerUrl }, join(bundle, 'migrate.mjs'));
    expect(await program.exited).toBe(0);
    expect(program.output()).toContain('0000_initial');
  });

  it('imported as Lambda does, runs nothing by itself and has a handler', async () => {
    const { handler } = await import(join(bundle, 'migrate.mjs'));
    expect(handler).toBeTypeOf('function');
  });
});
