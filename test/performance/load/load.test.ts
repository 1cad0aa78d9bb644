import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright-core';
import { Counter, Gauge, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workers } from '../../../lib/config/workers.ts';
import { type Guardian, startGuardian } from '../../../services/local/process/guardian.ts';
import { findFreePort } from '../../../services/local/process/ports.ts';
import { metricsUrl } from '../../../services/local/system/service-part.ts';
import { publishSystem } from '../../../services/local/system/system-file.ts';
import { insertDemoUsers } from '../../../services/user-api/users/demo-data.ts';
import { describeWithBrowser } from '../../support/browser.ts';
import { createMigratedDatabase, type TestDatabase } from '../../support/database.ts';
import { createQueues } from '../../support/queues.ts';
import { system } from '../../support/system.ts';
import type { Cores } from '../bench/cores.ts';
import { type SubjectServer, startServer } from '../bench/server.ts';
import { headroom } from '../bench/subjects.ts';
import { load } from './command.ts';

const cores: Cores = { pinned: false, subject: 0, second: 0, others: [0], count: 1 };

let guardian: Guardian;
let directory: string;
let database: TestDatabase;
let api: SubjectServer;
/** Local folder of a system of `npm start` that has the API. */
let localDirectory: string;
const stops: (() => Promise<unknown>)[] = [];

/** Runs a load test and returns what it printed, and the path of its report. */
const run = (...commandLine: string[]) => runIn({}, ...commandLine);

async function runIn(
  environment: Readonly<Record<string, string>>,
  ...commandLine: string[]
): Promise<{ text: string; report: string }> {
  let text = '';
  const write = (part: string | Uint8Array) => {
    text += String(part);
    return true;
  };
  const path = join(directory, `${commandLine.join('-').replaceAll(/\W+/g, '-')}.html`);
  const { signal } = new AbortController();
  const report = await load([...commandLine, '--report', path], {
    environment: { LOCAL_DIRECTORY: join(directory, 'none'), ...environment },
    output: { write, isTTY: false, columns: 80 },
    ask: null,
    signal,
  });
  return { text, report: report ?? '' };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  guardian = startGuardian();
  directory = await mkdtemp(join(tmpdir(), 'headroom-test-'));
  database = await createMigratedDatabase();
  await insertDemoUsers(database.writerUrl);
  const [email] = workers.filter(({ name }) => name === 'email');
  if (email === undefined) throw new Error('There is no worker email');
  const queues = await createQueues([email]);
  const internalPort = await findFreePort();
  api = await startServer({
    subject: {
      ...headroom,
      environment: {
        ...headroom.environment,
        // What Node.js has compiled in an earlier run: starting takes two thirds of the time with it.
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
        INTERNAL_PORT: String(internalPort),
      },
    },
    addresses: {
      databaseUrl: database.writerUrl,
      readerUrl: database.writerUrl,
      // Load tests work against an API without Redis, too.
      redisUrl: '',
      sqsEndpoint: system().sqs.endpoint,
      emailQueueUrl: queues.email?.url ?? '',
      region: system().sqs.region,
    },
    cores,
    on: [],
    guardian,
  });
  localDirectory = await mkdtemp(join(directory, 'local-'));
  publishSystem(localDirectory, {
    apiUrl: api.origin,
    metricsUrl: metricsUrl(internalPort),
    mailboxUrl: 'http://127.0.0.1:9',
    processId: process.pid,
  });
});
afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await api?.stop();
  await guardian.close();
  await database.drop();
  await rm(directory, { recursive: true });
});

// Side by side: each waits for seconds of load that hardly need the processor.
describe.concurrent('npm run load', () => {
  it('loads the API with reads and writes, and each second says how it goes', async () => {
    const { text } = await run(
      ...[
        '--scenario',
        'write-heavy',
        '--duration',
        '2',
        '--connections',
        '4',
        '--url',
        api.origin,
      ],
    );
    expect(text).toMatch(/\d\/2 s {2}writes, 4 connections {2}[\d,]+ requests\/s {2}p50 /);
    expect(text).toMatch(/[\d,]+ requests, p50 .*, all answered well/);
    expect(text).toContain('NOTE: Users were read instead of changed');
    // The first that was created after the demo users.
    const user = await fetch(`${api.origin}/api/v1/users/1001`);
    expect(await user.json()).toMatchObject({ name: expect.stringContaining('Load User') });
  });

  it('says when the limits of the API are what was measured', async () => {
    const limiting = createServer((_request, response) => {
      response.setHeader('ratelimit-policy', '"reads";q=1000;w=60');
      response.writeHead(429).end();
    });
    const origin = await listen(limiting);
    const words = ['--scenario', 'hot-key', '--duration', '1', '--connections', '2', '--url'];
    await expect(run(...words, origin)).rejects.toThrow('There is no terminal to ask');
    const { text, report } = await run(...words, origin, '--yes');
    expect(text).toContain('lets this address send 1,000 reads in 60 s');
    expect(text).toContain('--rate 16');
    expect(text).toContain('100 % of the requests got 429');
    expect(await readFile(report, 'utf8')).toContain('npm start -- --high-limits');
  });

  it('needs no response for a rate below the limits of each kind of request', async () => {
    const asked: string[] = [];
    const api = createServer((request, response) => {
      const isWrite = request.method === 'POST';
      asked.push(request.method ?? '');
      response.setHeader(
        'ratelimit-policy',
        isWrite ? '"creates";q=5;w=60' : '"reads";q=1000;w=60',
      );
      response.end('{}');
    });
    const words = ['--duration', '60', '--url', await listen(api), '--scenario'];
    await expect(run(...words, 'write-heavy', '--rate', '10')).rejects.toThrow('no terminal');
    expect(asked.filter((method) => method === 'POST')).toHaveLength(1);
    const low = ['--rate', '10', '--duration', '1'];
    const { text } = await run(...words, 'write-heavy', ...low);
    expect(text).not.toContain('--high-limits');
  });

  it('finds the API of npm start and its metrics by itself', async () => {
    const { text, report } = await runIn(
      { LOCAL_DIRECTORY: localDirectory },
      ...['--duration', '3', '--connections', '2'],
    );
    expect(text).toMatch(/all answered well/);
    expect(text).not.toContain('--high-limits');
    const page = await readFile(report, 'utf8');
    expect(page).toContain(api.origin);
    expect(page).not.toContain('Not available');
  });

  it('waits for a service that is not there yet, to load it cold', async () => {
    const late = createServer((_request, response) => response.end('{}'));
    const origin = await listen(late);
    const { port } = late.address() as AddressInfo;
    await new Promise((resolve) => late.close(resolve));
    const running = run('--scenario', 'cold-start', '--duration', '1', '--url', origin);
    late.listen(port, '127.0.0.1');
    expect((await running).text).toContain('all answered well');
  });

  it.each([
    [401, 'it wants to know who asks'],
    [404, 'has no user 1'],
    [500, 'responds with 500'],
  ])('does not load what answers %d, and says what to do', async (status, message) => {
    const origin = await listen(
      createServer((_request, response) => void response.writeHead(status).end()),
    );
    await expect(run('--scenario', 'steady', '--url', origin)).rejects.toThrow(message);
  });

  it('says how to start what is not there', async () => {
    const running = run('--scenario', 'steady', '--url', 'http://127.0.0.1:9');
    await expect(running).rejects.toMatchObject({
      message: expect.stringContaining('Nothing answers at http://127.0.0.1:9'),
      remedy: expect.stringContaining('npm start'),
    });
  });
});

describeWithBrowser('the report of a load test, in a browser', (browser) => {
  /** Opens a report, and collects what the page complains of and what it asks the network for. */
  async function open(report: string, colorScheme: 'light' | 'dark' = 'light') {
    const context = await browser().newContext({ colorScheme });
    const page = await context.newPage();
    const complaints: string[] = [];
    const asked: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(pathToFileURL(report).href);
    await page.waitForSelector('html[data-drawn]');
    return { page, complaints, asked, close: () => context.close() };
  }

  /** Ids of the plots in which at least one line was drawn. */
  async function drawnPlots(page: Page): Promise<string[]> {
    const plots = await page.locator('.plot').all();
    const drawn: string[] = [];
    for (const plot of plots) {
      const lines = await plot
        .locator('svg path[stroke-width="2"], svg path[fill-opacity="0.75"]')
        .count();
      if (lines > 0) drawn.push((await plot.getAttribute('id')) ?? '');
    }
    return drawn;
  }

  it.concurrent('draws what the service reported, from one file and without the network', async () => {
    const register = new Registry();
    const registers = [register];
    const [layer, pool] = [['layer', 'result'], ['pool']];
    const reads = new Counter({
      name: 'cache_reads_total',
      help: 'h',
      labelNames: layer,
      registers,
    });
    const queries = 'database_pool_queries_in_progress';
    const busy = new Gauge({ name: queries, help: 'h', labelNames: pool, registers });
    const outbox = new Gauge({ name: 'outbox_events', help: 'h', registers });
    const metrics = createServer(async (_request, response) => {
      reads.inc({ layer: 'near', result: 'hit' }, 90);
      reads.inc({ layer: '</script><b>redis', result: 'hit' }, 10);
      busy.inc({ pool: 'writer' });
      outbox.inc(3);
      response.end(await register.metrics());
    });
    const metricsUrl = `${await listen(metrics)}/metrics`;
    const { report } = await run(
      ...['--scenario', 'spike', '--duration', '4', '--connections', '2', '--url', api.origin],
      ...['--metrics-url', metricsUrl],
    );
    for (const scheme of ['light', 'dark'] as const) {
      const { page, complaints, asked, close } = await open(report, scheme);
      expect(await drawnPlots(page)).toEqual(['throughput', 'latency', 'cache', 'pools', 'events']);
      expect(await page.locator('table tbody tr').count()).toBe(3);
      expect(await page.locator('#throughput').textContent()).toContain('spike');
      expect(await page.locator('#cache').textContent()).toContain('redis');
      expect(complaints).toEqual([]);
      expect(asked).toEqual([pathToFileURL(report).href]);
      await close();
    }
  });

  it.concurrent('says honestly what was not reported to it', async () => {
    const { report } = await run(
      ...['--scenario', 'steady', '--duration', '2', '--connections', '2', '--url', api.origin],
    );
    const { page, complaints, close } = await open(report);
    expect(await drawnPlots(page)).toEqual(['throughput', 'latency']);
    const missing = page.getByText('Not available: the service was not asked for its metrics');
    expect(await missing.count()).toBe(3);
    expect(complaints).toEqual([]);
    await close();
  });
});
