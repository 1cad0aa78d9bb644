import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { workers } from '../../../../lib/config/workers.ts';
import {
  type EventSource,
  startEventSource,
} from '../../../../services/local/event-source/event-source.ts';
import { TRACES_MAXIMUM_PER_SECOND } from '../../../../services/user-api/observability/requests/request-observer.ts';
import { eventually } from '../../../support/eventually.ts';
import { describeWithRedis } from '../../../support/redis.ts';
import { system } from '../../../support/system.ts';
import { createUser, newUser, startApiOnNewDatabase, type TestApi } from '../support/api.ts';
import { receiveEvents } from '../support/receive-events.ts';
import { type CollectedSpan, type Collector, startCollector } from './support/collector.ts';
import { sampleOf, scrape } from './support/scrape.ts';

const hex = (bytes: number) => randomBytes(bytes).toString('hex');

function newTraceParent(flags = '01') {
  const traceId = hex(16);
  const spanId = hex(8);
  return { traceId, spanId, header: { traceparent: `00-${traceId}-${spanId}-${flags}` } };
}

const inTrace = (spans: readonly CollectedSpan[], traceId: string) =>
  spans.filter((span) => span.traceId === traceId);

/** Sends what has been recorded, as a stop does, and stops. */
async function stopAndCollect(api: TestApi, collector: Collector) {
  await api.stop();
  return collector.spans;
}

describeWithRedis('One trace, from a request to the email it causes', (redis) => {
  const trace = newTraceParent();
  const fields = newUser({ name: 'Ada Traced', email: 'ada.traced@example.com' });
  let collector: Collector;
  let api: Awaited<ReturnType<typeof startApiOnNewDatabase>>;
  let source: EventSource;
  let directory: string;
  let spans: readonly CollectedSpan[];

  beforeAll(async () => {
    collector = await startCollector();
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=opensesame',
      OTEL_TRACES_SAMPLER_ARG: '0',
    };
    api = await startApiOnNewDatabase({ redisUrl: redis().url, environment });
    directory = await mkdtemp(join(tmpdir(), 'headroom-traces-'));
    const [worker] = workers.filter(({ name }) => name === 'email');
    if (worker === undefined) throw new Error('There is no email worker');
    const { endpoint, region } = system().sqs;
    source = await startEventSource({
      worker: { ...worker, maximumBatchingWindowSeconds: 0 },
      queueUrl: api.queueUrl,
      endpoint,
      region,
      environment: {
        DATABASE_URL: api.database.writerUrl,
        MAILBOX_DIRECTORY: join(directory, 'mailbox'),
        ...environment,
      },
      logFile: join(directory, 'email-worker.log'),
    });
    // A Redis that is not connected yet would make other spans.
    await eventually(async () => {
      const health = await api.call<{ parts: Record<string, string> }>('GET', '/health');
      expect(health.body.parts.redis).toBe('up');
    });
    const answer = await api.call('POST', '/api/v1/users', {
      body: fields,
      headers: trace.header,
    });
    expect(answer.status).toBe(201);
    await vi.waitFor(
      () => expect(collector.spans.map(({ name }) => name)).toContain('send email'),
      { timeout: 20_000, interval: 50 },
    );
    await source.stop();
    spans = inTrace(await stopAndCollect(api, collector), trace.traceId);
  });
  afterAll(async () => {
    await collector.close();
    await rm(directory, { recursive: true });
  });

  const only = (name: string | RegExp, service: string) => {
    const found = spans.filter(
      (span) =>
        span.service === service &&
        (span.name === name || (name instanceof RegExp && name.test(span.name))),
    );
    expect(found, `spans ${name} of ${service}`).toHaveLength(1);
    return found[0] as CollectedSpan;
  };

  it('leads from the caller through the request and the queue to the email, each the child of the one before', () => {
    const request = only('POST /api/v1/users', 'user-api');
    const sending = only(/^send email-/, 'user-api');
    const processing = only(/^process email-/, 'email-worker');
    const email = only('send email', 'email-worker');

    expect([request, sending, processing, email].map(({ parentSpanId }) => parentSpanId)).toEqual([
      trace.spanId,
      request.spanId,
      sending.spanId,
      processing.spanId,
    ]);
    expect([request, sending, processing, email].map(({ kind }) => kind)).toEqual([2, 4, 5, 3]);
  });

  it('has the statements of the API and the worker, with their text and without their values', () => {
    const insert = only('INSERT users', 'user-api');
    const select = only('SELECT users', 'email-worker');

    expect(insert.attributes).toMatchObject({
      'db.system.name': 'postgresql',
      'headroom.pool': 'writer',
      'db.query.text': expect.stringContaining('insert into users'),
    });
    expect(select.attributes['db.query.text']).toMatch(
      /select id, email from users\s+where id = any\(\$1/,
    );
    expect(insert.parentSpanId).toBe(only('POST /api/v1/users', 'user-api').spanId);
    expect(select.parentSpanId).toBe(only(/^process email-/, 'email-worker').spanId);
  });

  it('has the commands to Redis, without keys', () => {
    const commands = spans.filter(({ attributes }) => attributes['db.system.name'] === 'redis');
    const request = only('POST /api/v1/users', 'user-api');

    expect(commands.length).toBeGreaterThan(0);
    for (const { attributes, kind, name, parentSpanId } of commands) {
      expect({ kind, name, parentSpanId }).toEqual({
        kind: 3,
        name: expect.stringMatching(/^[A-Z]+$/),
        parentSpanId: request.spanId,
      });
      // The first call of a script fails, because Redis does not know it yet, and is repeated with its text.
      const { 'error.type': error, ...others } = attributes;
      if (error !== undefined)
        expect({ error, name }).toEqual({ error: 'ReplyError', name: 'EVALSHA' });
      expect(Object.keys(others).sort()).toEqual(['db.operation.name', 'db.system.name']);
    }
  });

  it('says of the request what it was, by the pattern of its route', () => {
    expect(only('POST /api/v1/users', 'user-api').attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/api/v1/users',
      'http.response.status_code': 201,
    });
  });

  it('holds nothing of the person', () => {
    // Not in lower case: ids are hexadecimal, and may well have an `ada` in them.
    expect(collector.text()).not.toMatch(/Ada|Traced|example\.com/);
  });

  it('was sent with the headers that the collector asks for', () => {
    expect(collector.headers.length).toBeGreaterThan(0);
    for (const headers of collector.headers) expect(headers['x-collector-key']).toBe('opensesame');
  });

  it('is named in the log lines of the API and of the worker', () => {
    const ofRequest = api.log.find(({ method }) => method === 'POST');
    const worker = readFileSync(join(directory, 'email-worker.log'), 'utf8');
    const sent = worker.split('\n').find((line) => line.includes('Welcome sent'));

    expect(ofRequest).toMatchObject({
      traceId: trace.traceId,
      spanId: only('POST /api/v1/users', 'user-api').spanId,
    });
    expect(JSON.parse(sent ?? '{}')).toMatchObject({
      traceId: trace.traceId,
      spanId: only(/^process email-/, 'email-worker').spanId,
    });
  });
});

describe('What is recorded', () => {
  async function startTraced(environment: Readonly<Record<string, string>> = {}) {
    const collector = await startCollector();
    const api = await startApiOnNewDatabase({
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_TRACES_SAMPLER_ARG: '0',
        INTERNAL_PORT: '0',
        ...environment,
      },
    });
    return { api, collector };
  }

  it('with the fraction 0, is nothing but what callers record', async () => {
    const { api, collector } = await startTraced();
    const recorded = newTraceParent();
    const unrecorded = newTraceParent('00');
    await createUser(api);
    await api.call('GET', '/api/v1/users/1', { headers: unrecorded.header });
    await api.call('GET', '/api/v1/users/1', { headers: recorded.header });
    await api.call('GET', '/api/v1/users/1', { headers: { traceparent: 'nonsense' } });
    const spans = await stopAndCollect(api, collector);

    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([recorded.traceId]));
    await collector.close();
  });

  it('with the fraction 1, is every request in a trace of its own, but those whose caller does not record', async () => {
    const { api, collector } = await startTraced({ OTEL_TRACES_SAMPLER_ARG: '1' });
    const unrecorded = newTraceParent('00');
    for (let count = 0; count < 5; count += 1) await api.call('GET', '/health/live');
    await api.call('GET', '/health/live', { headers: unrecorded.header });
    await api.call('GET', '/health/live', { headers: { traceparent: 'nonsense' } });
    const spans = await stopAndCollect(api, collector);

    expect(spans.map(({ name }) => name)).toEqual(new Array(6).fill('GET /health/live'));
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(6);
    expect(spans.every(({ parentSpanId }) => (parentSpanId ?? '') === '')).toBe(true);
    await collector.close();
  });

  it('is bounded in a second, whatever callers ask for', async () => {
    const { api, collector } = await startTraced();
    const requests = 4 * TRACES_MAXIMUM_PER_SECOND;
    const startedAt = performance.now();
    await Promise.all(
      Array.from({ length: requests }, () =>
        api.call('GET', '/health/live', { headers: newTraceParent().header }),
      ),
    );
    const seconds = Math.floor((performance.now() - startedAt) / 1_000) + 2;
    const spans = await stopAndCollect(api, collector);

    expect(spans.length).toBeGreaterThanOrEqual(TRACES_MAXIMUM_PER_SECOND);
    expect(spans.length).toBeLessThanOrEqual(seconds * TRACES_MAXIMUM_PER_SECOND);
    await collector.close();
  });

  it('does not reach into the next request on the same connection', async () => {
    const { api, collector } = await startTraced();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { header, traceId } = newTraceParent();
    const ask = (headers: Record<string, string>) =>
      new Promise<void>((resolve, reject) => {
        get(`${api.url}/api/v1/users/1`, { agent, headers }, (response) => {
          response.resume().once('end', resolve);
        }).once('error', reject);
      });
    await ask(header);
    for (let count = 0; count < 3; count += 1) await ask({});
    agent.destroy();
    const spans = inTrace(await stopAndCollect(api, collector), traceId);

    expect(spans.filter(({ kind }) => kind === 2)).toHaveLength(1);
    expect(spans.filter(({ name }) => name === 'SELECT users').length).toBeLessThanOrEqual(2);
    const lines = api.log.filter(({ method }) => method !== undefined);
    expect(lines.map((line) => line.traceId)).toEqual([traceId, undefined, undefined, undefined]);
    await collector.close();
  });

  it('says which problem a failed request got', async () => {
    const { api, collector } = await startTraced();
    await api.call('GET', '/api/v1/users/77', { headers: newTraceParent().header });
    const [span] = (await stopAndCollect(api, collector)).filter(({ kind }) => kind === 2);

    expect(span).toMatchObject({
      name: 'GET /api/v1/users/{id}',
      attributes: { 'http.response.status_code': 404, 'error.type': 'user-not-found' },
      statusCode: 0,
    });
    await collector.close();
  });

  it('is lost when the collector refuses it, which is said once and counted, and harms no request', async () => {
    const { api, collector } = await startTraced({ OTEL_TRACES_SAMPLER_ARG: '1' });
    collector.respondWith(400);
    const lost = async () =>
      sampleOf(await scrape(api.service.internalPort), 'traces_spans_total{result="lost"}');
    for (let round = 1; round <= 2; round += 1) {
      expect((await api.call('GET', '/health/live')).status).toBe(200);
      await expect.poll(lost, { timeout: 12_000, interval: 200 }).toBe(round);
    }
    collector.respondWith(200);
    await api.call('GET', '/health/live');
    const spans = await stopAndCollect(api, collector);

    expect(spans).toHaveLength(1);
    const said = api.log.filter(({ message }) => /collector/.test(String(message)));
    expect(said.map(({ message }) => message)).toEqual([
      'The collector refuses traces: they are lost',
      'The collector accepts traces again',
    ]);
    // It is about no trace more than about another.
    for (const line of said) expect(line).not.toHaveProperty('traceId');
    await collector.close();
  });
});

describe('Without a collector', () => {
  it('the trace of a caller is still named in the log and passed on with the event', async () => {
    const api = await startApiOnNewDatabase();
    const { header, traceId } = newTraceParent();
    try {
      await api.call('POST', '/api/v1/users', { body: newUser(), headers: header });
      const [event] = await receiveEvents(api.queueUrl, ({ length }) => length > 0);

      expect(event?.traceparent).toBe(header.traceparent);
      expect(api.log.find(({ method }) => method !== undefined)).toMatchObject({ traceId });
    } finally {
      await api.stop();
    }
  });

  it('an event that the queue could not be given at once still names its trace', async () => {
    const api = await startApiOnNewDatabase({
      environment: { SQS_ENDPOINT: 'http://127.0.0.1:9' },
    });
    const { header } = newTraceParent();
    try {
      await api.call('POST', '/api/v1/users', { body: newUser(), headers: header });
      const sql = postgres(api.database.writerUrl, { max: 1 });
      const rows = await sql`select traceparent from outbox`;
      await sql.end();

      expect(rows).toEqual([{ traceparent: header.traceparent }]);
    } finally {
      await api.stop();
    }
  });
});
