import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createEventSender,
  type EventSender,
} from '../../../../services/user-api/queue/event-sender.ts';
import { userCreatedEvent } from '../../../../services/user-api/queue/events.ts';
import { createQueues } from '../../../support/queues.ts';
import { system } from '../../../support/system.ts';
import { receiveEvents } from '../support/receive-events.ts';

type Fault = 'cut' | { readonly status: number; readonly body: string };

/** In front of SQS: counts the requests, answers with the next fault, and else passes the request on. */
async function startFront(endpoint: string) {
  const faults: Fault[] = [];
  let requests = 0;
  const server = createServer(async (incoming, outgoing) => {
    const { headers } = incoming;
    const body = await text(incoming);
    requests += 1;
    const fault = faults.shift();
    if (fault === 'cut') return outgoing.destroy();
    if (fault !== undefined) return outgoing.writeHead(fault.status).end(fault.body);
    const passedOn = Object.entries(headers).filter(
      ([name]) => name.startsWith('x-amz') || name === 'content-type' || name === 'authorization',
    );
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: passedOn.map(([name, value]) => [name, String(value)]),
      body,
    });
    return outgoing.writeHead(answer.status).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    faults,
    get requests() {
      return requests;
    },
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
  Array.from({ length: count }, (_, index) =>
    userCreatedEvent(randomUUID(), new Date().toISOString(), { userId: index + 1 }),
  );

describe('createEventSender', () => {
  const { endpoint, region } = system().sqs;
  let front: Awaited<ReturnType<typeof startFront>>;
  let queueUrl: string;
  let sender: EventSender;
  beforeEach(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    front = await startFront(endpoint);
    queueUrl = (await createQueues([QUEUE])).email.url;
    sender = createEventSender({ queueUrl, region, endpoint: front.endpoint });
  });
  afterEach(() => {
    sender.close();
    front.close();
    vi.unstubAllEnvs();
  });

  it('brings ten events to the queue with one request, as they are', async () => {
    const events = eventsOf(10);
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

  it('when SQS fails again, throws what it answered', async () => {
    front.faults.push({ status: 500, body: '' }, refusal(503, 'ServiceUnavailable'));
    await expect(sender.send(eventsOf(1))).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    expect(front.requests).toBe(2);
  });

  it('when there is no such queue, says so at once', async () => {
    const url = `${queueUrl}-gone`;
    const nowhere = createEventSender({ queueUrl: url, region, endpoint: front.endpoint });
    await expect(nowhere.send(eventsOf(1))).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    expect(front.requests).toBe(1);
    nowhere.close();
  });
});
