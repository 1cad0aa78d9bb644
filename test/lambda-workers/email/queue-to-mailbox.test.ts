import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { workers } from '../../../lib/config/workers.ts';
import {
  type EventSource,
  startEventSource,
} from '../../../services/local/event-source/event-source.ts';
import { type Mailbox, startMailbox } from '../../../services/local/mailbox/mailbox.ts';
import { createQueues, sendMessage } from '../../support/queues.ts';
import { userCreatedEvent } from '../support/events.ts';
import { setUpWorker, type WorkerSetup } from './worker-setup.ts';

/** Short, so that a message is redelivered within the test; the timeout of a runtime must not be longer. */
const VISIBILITY_TIMEOUT_SECONDS = 3;

describe('From a queue to the mailbox, the email worker', () => {
  let setup: WorkerSetup;
  let source: EventSource;
  let mailbox: Mailbox;
  let client: SQSClient;
  let directory: string;
  let queue: { readonly url: string; readonly deadLetterUrl: string };

  beforeAll(async () => {
    const [email] = workers;
    if (email === undefined) throw new Error('There is no email worker');
    const worker = {
      ...email,
      visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
      timeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
      maximumReceiveCount: 2,
      maximumBatchingWindowSeconds: 0,
    };
    setup = await setUpWorker();
    directory = await mkdtemp(join(tmpdir(), 'headroom-email-'));
    const { endpoint, region } = inject('system').sqs;
    const queues = await createQueues([worker]);
    queue = queues[worker.name] ?? { url: '', deadLetterUrl: '' };
    client = new SQSClient({
      endpoint,
      region,
      useQueueUrlAsEndpoint: false,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    source = await startEventSource({
      worker,
      queueUrl: queue.url,
      endpoint,
      region,
      environment: { DATABASE_URL: setup.databaseUrl, MAILBOX_DIRECTORY: setup.mailboxDirectory },
      logFile: join(directory, 'email-worker.log'),
    });
    mailbox = await startMailbox({ directory: setup.mailboxDirectory, port: 0 });
  });
  afterAll(async () => {
    await source.stop();
    await mailbox.stop();
    client.destroy();
    await setup.close();
    rmSync(directory, { recursive: true });
  });

  const send = (body: unknown) => sendMessage(queue.url, body);

  async function messagesLeft(): Promise<number> {
    const { Attributes: attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['All'] }),
    );
    return (
      Number(attributes?.ApproximateNumberOfMessages) +
      Number(attributes?.ApproximateNumberOfMessagesNotVisible)
    );
  }

  it('sends one email for each event at any number of deliveries, and leaves unreadable messages to the dead-letter queue', async () => {
    const ada = await setup.insertUser('Ada Lovelace', 'ada@example.com');
    const grace = await setup.insertUser('Grace Hopper', 'grace@example.com');
    const event = userCreatedEvent(ada);
    await Promise.all([
      send(event),
      send(event),
      send({ ...event, type: 'user.exploded' }),
      send(userCreatedEvent(grace)),
      send(event),
    ]);
    await expect.poll(messagesLeft, { timeout: 25_000, interval: 100 }).toBe(0);

    const response = await fetch(`${mailbox.url}/api/messages`);
    const { messages } = (await response.json()) as { messages: { to: string[] }[] };
    expect(messages.flatMap(({ to }) => to).sort()).toEqual([
      'ada@example.com',
      'grace@example.com',
    ]);

    const { Messages: dead = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: queue.deadLetterUrl, MaxNumberOfMessages: 10 }),
    );
    expect(dead.map(({ Body }) => JSON.parse(Body ?? ''))).toEqual([
      { ...event, type: 'user.exploded' },
    ]);

    const log = readFileSync(join(directory, 'email-worker.log'), 'utf8');
    expect(log).toContain('Welcome sent');
    expect(log).not.toMatch(/Ada|Grace|example\.com/);
  });
});
