import { randomBytes } from 'node:crypto';
import type { SQSEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  inMessageTrace,
  traceOfMessage,
} from '../../../lambda-workers/observability/message-trace.ts';
import {
  currentSpan,
  currentTrace,
  traced,
} from '../../../services/contracts/tracing/trace-context.ts';
import { createTracer } from '../../../services/contracts/tracing/tracer.ts';
import { startCollector } from '../../services/user-api/observability/support/collector.ts';
import { setUpWorker, type WorkerSetup } from '../email/worker-setup.ts';
import { sqsEvent, userCreatedEvent } from '../support/events.ts';

function newTraceParent(flags: '00' | '01') {
  const traceId = randomBytes(16).toString('hex');
  return { traceId, text: `00-${traceId}-${randomBytes(8).toString('hex')}-${flags}` };
}

/** A message with an event that names `ofEvent`, sent with `ofMessage`. */
function messageOf(
  ofEvent: string | undefined,
  ofMessage: string | undefined,
): SQSEvent['Records'][0] {
  const event = {
    ...userCreatedEvent(1),
    ...(ofEvent === undefined ? {} : { traceparent: ofEvent }),
  };
  const [record] = sqsEvent(event).Records;
  if (record === undefined) throw new Error('There is no record');
  return ofMessage === undefined ? record : withAttribute(record, ofMessage);
}

function withAttribute(
  record: SQSEvent['Records'][0],
  traceparent: string,
): SQSEvent['Records'][0] {
  return {
    ...record,
    messageAttributes: { traceparent: { dataType: 'String', stringValue: traceparent } },
  };
}

describe('traceOfMessage', () => {
  const [event, message] = [newTraceParent('01'), newTraceParent('01')];

  it('is that of the message rather than that of the event', () => {
    expect(traceOfMessage(messageOf(event.text, message.text))?.traceId).toBe(message.traceId);
  });

  it('is that of the event where the message has none', () => {
    expect(traceOfMessage(messageOf(event.text, undefined))?.traceId).toBe(event.traceId);
  });

  it.each([
    ['nothing', undefined],
    ['nonsense', 'nonsense'],
    ['more than there can be', '0'.repeat(10_000)],
  ])('is none where the event names %s', (_what, text) => {
    expect(traceOfMessage(messageOf(text, undefined))).toBeNull();
  });

  it('is none where the body is not JSON', () => {
    expect(traceOfMessage({ ...messageOf(undefined, undefined), body: '{"a' })).toBeNull();
  });
});

describe('inMessageTrace', () => {
  it('without a tracer, runs the handler in the trace and records nothing', async () => {
    const { text, traceId } = newTraceParent('01');
    await inMessageTrace(null, messageOf(text, undefined), async () => {
      expect(currentTrace()?.traceId).toBe(traceId);
      expect(currentSpan()).toBeUndefined();
    });
    expect(currentTrace()).toBeUndefined();
  });

  it('records messages of recorded traces, failed ones as failures, and no others', async () => {
    const collector = await startCollector();
    const tracer = await createTracer(
      {
        STAGE: 'test',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: {},
      },
      { service: 'test-worker', onChange: () => {} },
    );
    const [recorded, failed, unrecorded] = [
      newTraceParent('01'),
      newTraceParent('01'),
      newTraceParent('00'),
    ];
    const work = () => traced('work', {}, async () => 'done');
    expect(await inMessageTrace(tracer, messageOf(recorded.text, undefined), work)).toBe('done');
    await inMessageTrace(tracer, messageOf(unrecorded.text, undefined), work);
    await inMessageTrace(tracer, messageOf(undefined, undefined), work);
    const failing = inMessageTrace(tracer, messageOf(failed.text, undefined), async () => {
      throw new TypeError('with ada@example.com in it');
    });
    await expect(failing).rejects.toThrow(TypeError);
    await tracer?.flush(5_000);

    expect(
      collector.spans.map(({ traceId, name, attributes, statusCode }) => [
        traceId,
        name,
        attributes['error.type'],
        statusCode,
      ]),
    ).toEqual([
      [recorded.traceId, 'work', undefined, 0],
      [recorded.traceId, 'process email', undefined, 0],
      [failed.traceId, 'process email', 'TypeError', 2],
    ]);
    expect(collector.spans[1]).toMatchObject({
      kind: 5,
      parentSpanId: recorded.text.split('-')[2],
      attributes: {
        'messaging.system': 'aws_sqs',
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'email',
        'messaging.message.id': '0',
        'headroom.receive_count': 1,
      },
    });
    expect(collector.text()).not.toContain('example.com');
    await tracer?.close(1_000);
    await collector.close();
  });
});

describe('The log of the email worker', () => {
  let setup: WorkerSetup;
  beforeAll(async () => {
    setup = await setUpWorker();
  });
  afterAll(() => setup.close());

  it('has in each line the trace of its message', async () => {
    const users = [
      await setup.insertUser('Ada', 'ada@example.com'),
      await setup.insertUser('Grace', 'grace@example.com'),
    ];
    const traces = users.map(() => newTraceParent('00'));
    const events = [...users.map((user) => userCreatedEvent(user)), 'not an event'];
    const { Records } = sqsEvent(...events);
    const failing = newTraceParent('01');
    await setup.createWorker()({
      Records: Records.map((record, index) =>
        withAttribute(record, (traces[index] ?? failing).text),
      ),
    });
    const lines = setup
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const sent = lines.filter(({ message }) => message === 'Welcome sent');

    expect(sent.map(({ userId, traceId }) => [userId, traceId]).sort()).toEqual(
      users.map((user, index) => [user, traces[index]?.traceId]).sort(),
    );
    expect(lines.find(({ message }) => message === 'Message failed')).toMatchObject({
      traceId: failing.traceId,
    });
  });
});
