import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createTracer } from '../../../../services/contracts/tracing/tracer.ts';
import {
  createEventSender,
  type EventSender,
} from '../../../../services/user-api/queue/event-sender.ts';
import { eventEnvelope } from '../../../../services/user-api/queue/outbox.ts';
import { createQueues } from '../../../support/queues.ts';
import { system } from '../../../support/system.ts';
import { startCollector } from '../observability/support/collector.ts';
import { receiveEvents } from '../support/receive-events.ts';

type Fault = 'cut' | 'hang' | { readonly status: number; readonly body: string };

interface Entry {
  readonly Id: string;
  readonly MessageAttributes?: Readonly<Record<string, unknown>>;
}

/** A proxy of SQS: counts the requests, responds with the next fault, and passes on the others. */
async function startFront(endpoint: string) {
  const faults: Fault[] = [];
  /** Messages of the latest request. */
  let entries: readonly Entry[] = [];
  let authorization = '';
  let requests = 0;
  const server = createServer(async (incoming, outgoing) => {
    const { headers } = incoming;
    const body = await text(incoming);
    requests += 1;
    entries = JSON.parse(body).Entries;
    authorization = headers.authorization ?? '';
    const fault = faults.shift();
    if (fault === 'hang') return;
    if (fault === 'cut') return outgoing.destroy();
    if (fault !== undefined) return outgoing.writeHead(fault.status).end(fault.body);
    const passedOn = Object.entries(headers).filter(
      ([name]) => name.startsWith('x-amz') || name === 'content-type' || name === 'authorization',
    );
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: passedOn.map(([name, value]) => [name, String(value)]),
      body,
    });
    return outgoing.writeHead(response.status).end(await response.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    faults,
    get requests() {
      return requests;
    },
    entries: () => entries,
    authorization: () => authorization,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const QUEUE = {
  name: 'email',
  visibilityTimeoutSeconds: 30,
  maximumReceiveCount: 3,
  retentionSeconds: 3_600,
  deadLetterRetentionSeconds: 3_600,
} as const;

const refusal = (status: number, code: string): Fault => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: 'No' }),
});

const eventsOf = (count: number) =>
  Array.from(
    { length: count },
    (_, index) =>
      ({
        ...eventEnvelope(randomUUID(), new Date().toISOString()),
        type: 'user.created',
        data: { userId: index + 1 },
      }) as const,
  );

describe('createEventSender', () => {
  const { endpoint, region } = system().sqs;
  let front: Awaited<ReturnType<typeof startFront>>;
  let queueUrl: string;
  let sender: EventSender;
  beforeEach(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    // The SDK waits for a random share of its longest pause before it tries again.
    vi.spyOn(Math, 'random').mockReturnValue(0);
    front = await startFront(endpoint);
    queueUrl = (await createQueues([QUEUE])).email.url;
    sender = createEventSender({ queueUrl, region, endpoint: front.endpoint });
  });
  afterEach(() => {
    sender.close();
    front.close();
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it('sends ten events with one request, unchanged', async () => {
    // Of a recorded trace, which is passed on without a tracer.
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const events = eventsOf(10).map((event) => ({ ...event, traceparent }));
    expect(await sender.send(events)).toEqual(events.map(({ id }) => id));
    expect(front.requests).toBe(1);
    const received = await receiveEvents(queueUrl, ({ length }) => length >= events.length);
    expect(new Map(received.map((event) => [event.id, event]))).toEqual(
      new Map(events.map((event) => [event.id, event])),
    );
  });

  it.each<Fault>(['cut', { status: 503, body: '<html>' }, refusal(400, 'RequestThrottled')])(
    'after %j, tries once more',
    async (fault) => {
      front.faults.push(fault);
      const events = eventsOf(1);
      expect(await sender.send(events)).toEqual(events.map(({ id }) => id));
      expect(front.requests).toBe(2);
    },
  );

  it('when SQS fails again, throws its error', async () => {
    front.faults.push({ status: 500, body: '' }, refusal(503, 'ServiceUnavailable'));
    await expect(sender.send(eventsOf(1))).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    expect(front.requests).toBe(2);
  });

  it('when there is no such queue, throws at once', async () => {
    const url = `${queueUrl}-gone`;
    const nowhere = createEventSender({ queueUrl: url, region, endpoint: front.endpoint });
    await expect(nowhere.send(eventsOf(1))).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    expect(front.requests).toBe(1);
    nowhere.close();
  });

  it('is given up after 3 s without a response', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    front.faults.push('hang');
    let error: unknown;
    const sending = sender.send(eventsOf(1)).catch((thrown) => {
      error = thrown;
    });
    while (front.requests === 0) await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(error).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await sending;
    expect(error).toMatchObject({
      name: 'TimeoutError',
      message: 'SQS did not respond within 3000 ms',
    });
    front.faults.push({ status: 200, body: '{}' });
    await sender.send(eventsOf(1));
    // Nothing is left to go off.
    expect(vi.getTimerCount()).toBe(0);
  });

  it('sends to its endpoint, in its region, whatever the shell and the host of the queue are', async () => {
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true');
    vi.stubEnv('AWS_USE_DUALSTACK_ENDPOINT', 'true');
    const url = new URL(queueUrl);
    url.host = 'sqs.nowhere.example';
    const local = createEventSender({
      queueUrl: url.href,
      region: 'eu-west-1',
      endpoint: front.endpoint,
    });
    onTestFinished(() => local.close());
    front.faults.push({ status: 200, body: '{"Successful":[{"Id":"a"},{}],"Failed":[]}' });
    expect(await local.send(eventsOf(1))).toEqual(['a']);
    expect(front.authorization()).toContain('/eu-west-1/sqs/aws4_request');
    front.faults.push({ status: 200, body: '{}' });
    expect(await local.send(eventsOf(1))).toEqual([]);
  });
});

describe('The spans of createEventSender', () => {
  const trace = (flags: string) => ({
    traceparent: `00-${randomUUID().replaceAll('-', '')}-b7ad6b7169203331-${flags}`,
  });
  const traceIdOf = ({ traceparent }: { traceparent: string }) => traceparent.slice(3, 35);

  it('are in the trace of each event that is recorded, and messages name them', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    onTestFinished(() => void vi.unstubAllEnvs());
    const [front, collector] = [await startFront(''), await startCollector()];
    onTestFinished(async () => {
      front.close();
      await collector.close();
    });
    const tracer = await createTracer(
      {
        STAGE: 'test',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: {},
      },
      { service: 'test', onChange: () => {} },
    );
    const queueUrl = 'http://127.0.0.1/000000000000/email';
    const settings = { queueUrl, region: 'us-east-1', endpoint: front.endpoint, tracer };
    const sender = createEventSender(settings);
    onTestFinished(() => sender.close());
    const traces = [trace('01'), trace('01'), trace('00')] as const;
    const [plain, ...events] = eventsOf(4).map((event, index) =>
      index === 0 ? event : { ...event, ...traces[index - 1] },
    );
    const batch = plain === undefined ? events : [plain, ...events];
    const [, taken] = batch.map(({ id }) => id);
    front.faults.push({ status: 200, body: JSON.stringify({ Successful: [{ Id: taken }] }) });
    await sender.send(batch);
    await tracer?.flush(5_000);

    const attributes = {
      'messaging.system': 'aws_sqs',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'email',
      'messaging.batch.message_count': 4,
    };
    const common = { name: 'send email', kind: 4, parentSpanId: 'b7ad6b7169203331' };
    expect(collector.spans).toMatchObject([
      {
        ...common,
        traceId: traceIdOf(traces[0]),
        attributes: { ...attributes, 'cloudevents.event_id': batch[1]?.id },
        statusCode: 0,
      },
      {
        ...common,
        traceId: traceIdOf(traces[1]),
        attributes: { ...attributes, 'error.type': 'refused' },
        statusCode: 2,
      },
    ]);
    const named = (traceparent: string) => ({
      MessageAttributes: { traceparent: { DataType: 'String', StringValue: traceparent } },
    });
    const [first, second] = collector.spans.map(
      ({ traceId, spanId }) => `00-${traceId}-${spanId}-01`,
    );
    expect(front.entries()).toMatchObject([
      { Id: plain?.id },
      named(first ?? ''),
      named(second ?? ''),
      named(traces[2].traceparent),
    ]);
    expect(front.entries()[0]).not.toHaveProperty('MessageAttributes');

    front.faults.push(refusal(400, 'QueueDoesNotExist'));
    await expect(sender.send(batch)).rejects.toThrow('No');
    await tracer?.close(5_000);
    expect(collector.spans.slice(2)).toMatchObject(
      [traces[0], traces[1]].map((each) => ({
        traceId: traceIdOf(each),
        attributes: { 'error.type': 'QueueDoesNotExist' },
        statusCode: 2,
      })),
    );
  });
});
