import { createHash, createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createMessageBatches,
  type MessageBatches,
} from '../../../../services/user-api/queue/message-batches.ts';
import { createQueues } from '../../../support/queues.ts';
import { system } from '../../../support/system.ts';

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Fault = 'none' | 'cut' | { readonly status: number; readonly body: string };

/** In front of SQS: notes each request, answers with the next fault, and else passes the request on. */
async function startFront(endpoint: string) {
  const seen: SeenRequest[] = [];
  const faults: Fault[] = [];
  const server: Server = createServer(async (incoming, outgoing) => {
    const { headers, method = '', url: path = '' } = incoming;
    const body = await text(incoming);
    seen.push({ method, path, headers, body });
    const fault = faults.shift() ?? 'none';
    if (fault === 'cut') return outgoing.destroy();
    if (fault !== 'none') return outgoing.writeHead(fault.status).end(fault.body);
    const passedOn = Object.entries(headers).filter(
      ([name]) => name.startsWith('x-amz') || name === 'content-type' || name === 'authorization',
    );
    const answer = await fetch(endpoint, {
      method,
      headers: passedOn.map(([name, value]) => [name, String(value)]),
      body,
    });
    return outgoing.writeHead(answer.status).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    seen,
    faults,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const hmac = (key: string | Buffer, data: string) =>
  createHmac('sha256', key).update(data).digest();
const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');

/** The signature that a request must have, by AWS's description of it (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
function signatureOf({ body, headers, method, path }: SeenRequest, secret: string): string {
  const authorization = headers.authorization ?? '';
  const signed = /SignedHeaders=([^,]+)/.exec(authorization)?.[1] ?? '';
  const scope = /Credential=[^/]+\/([^,]+)/.exec(authorization)?.[1] ?? '';
  const [day = '', region = '', service = '', end = ''] = scope.split('/');
  const canonical = [
    method,
    path,
    '',
    ...signed.split(';').map((name) => `${name}:${headers[name]}`),
    '',
    signed,
    sha256(body),
  ].join('\n');
  const time = String(headers['x-amz-date']);
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), end);
  return hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString('hex');
}

const QUEUE = {
  name: 'email',
  visibilityTimeoutSeconds: 30,
  maximumReceiveCount: 3,
  retentionSeconds: 3_600,
  deadLetterRetentionSeconds: 3_600,
} as const;
const SECRET = 'the secret key';
const entriesOf = (count: number): SendMessageBatchRequestEntry[] =>
  Array.from({ length: count }, (_, index) => ({
    Id: randomUUID(),
    MessageBody: `{"text":"message ${index}, Ö \\" €"}`,
    MessageAttributes: { traceparent: { DataType: 'String', StringValue: `trace ${index}` } },
  }));

describe('createMessageBatches', () => {
  let front: Awaited<ReturnType<typeof startFront>>;
  let queueUrl: string;
  let batches: MessageBatches;
  let client: SQSClient;
  const { endpoint, region } = system().sqs;
  beforeEach(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET);
    vi.stubEnv('AWS_SESSION_TOKEN', 'the session token');
    front = await startFront(endpoint);
    const queues = await createQueues([QUEUE]);
    queueUrl = queues.email.url;
    batches = createMessageBatches({ queueUrl, region, endpoint: front.endpoint });
    client = new SQSClient({ region, endpoint: front.endpoint, useQueueUrlAsEndpoint: false });
  });
  afterEach(() => {
    batches.close();
    client.destroy();
    front.close();
    vi.unstubAllEnvs();
  });
  const send = (entries: readonly SendMessageBatchRequestEntry[]) =>
    batches.send(entries, AbortSignal.timeout(10_000));

  it('brings all entries to the queue, as they are', async () => {
    const entries = entriesOf(10);
    expect(await send(entries)).toEqual(entries.map(({ Id }) => Id));
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
      }),
    );
    const received = Messages.map(({ Body, MessageAttributes }) => [
      Body,
      MessageAttributes?.traceparent?.StringValue,
    ]);
    expect(received.toSorted()).toEqual(
      entries
        .map(({ MessageAttributes, MessageBody }) => [
          MessageBody,
          MessageAttributes?.traceparent?.StringValue,
        ])
        .toSorted(),
    );
  });

  it("sends what the SDK's own client sends, with a signature that is right", async () => {
    const entries = entriesOf(2);
    await send(entries);
    await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
    const [own, theirs] = front.seen;
    expect.assert(own !== undefined && theirs !== undefined);
    for (const name of ['host', 'content-type', 'x-amz-target', 'x-amz-security-token']) {
      expect(own.headers[name]).toBe(theirs.headers[name]);
    }
    expect([own.method, own.path]).toEqual([theirs.method, theirs.path]);
    expect(JSON.parse(own.body)).toEqual(JSON.parse(theirs.body));
    for (const request of [own, theirs]) {
      const { authorization } = request.headers;
      expect(authorization).toContain(`/${region}/sqs/aws4_request`);
      expect(authorization).toContain('x-amz-security-token');
      expect(authorization).toMatch(new RegExp(`Signature=${signatureOf(request, SECRET)}$`));
    }
  });

  it('tells which entries the queue took, where it refuses others', async () => {
    const good = entriesOf(1);
    const invalid = { Id: randomUUID(), MessageBody: 'a control character: \u0001' };
    expect(await send([...good, invalid])).toEqual(good.map(({ Id }) => Id));
  });

  it.each<Fault>(['cut', { status: 503, body: '<html>' }, refusal(400, 'RequestThrottled')])(
    'after %j, tries once more',
    async (fault) => {
      front.faults.push(fault);
      const entries = entriesOf(1);
      expect(await send(entries)).toEqual(entries.map(({ Id }) => Id));
      expect(front.seen).toHaveLength(2);
    },
  );

  it('when SQS fails again, throws what it answered', async () => {
    front.faults.push({ status: 500, body: '' }, refusal(503, 'ServiceUnavailable'));
    await expect(send(entriesOf(1))).rejects.toMatchObject({
      status: 503,
      code: 'ServiceUnavailable',
    });
    expect(front.seen).toHaveLength(2);
  });

  it('when there is no such queue, says so at once', async () => {
    const nowhere = createMessageBatches({
      queueUrl: `${queueUrl}-gone`,
      region,
      endpoint: front.endpoint,
    });
    const sending = nowhere.send(entriesOf(1), AbortSignal.timeout(10_000));
    await expect(sending).rejects.toMatchObject({ status: 400, code: 'QueueDoesNotExist' });
    expect(front.seen).toHaveLength(1);
    nowhere.close();
  });

  it('when its time is over, ends', async () => {
    await expect(batches.send(entriesOf(1), AbortSignal.timeout(0))).rejects.toThrow();
  });
});

function refusal(status: number, code: string): Fault {
  return { status, body: JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: 'No' }) };
}
