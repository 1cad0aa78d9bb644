import { randomUUID } from 'node:crypto';
import {
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { respondInserted } from './insert-user.ts';
import { connect, listen, variable } from './listen.ts';

/**
 * Bare node:http and one statement for each request; and behind the responses the events go to SQS, in batches that are filled as Headroom fills
 * them, and leave the outbox. So nothing is lost when SQS takes all and this process never ends; nothing is tried again.
 */
const sql = connect(variable('DATABASE_URL'));
const QueueUrl = variable('EMAIL_QUEUE_URL');
const client = new SQSClient({
  region: variable('AWS_REGION'),
  endpoint: variable('SQS_ENDPOINT'),
  useQueueUrlAsEndpoint: false,
  md5: false,
});
const BATCH_MAXIMUM = 10;
const LINGER_MILLISECONDS = 100;

const held: SendMessageBatchRequestEntry[] = [];
let linger: NodeJS.Timeout | undefined;

async function sendHeld(): Promise<void> {
  clearTimeout(linger);
  linger = undefined;
  const Entries = held.splice(0, BATCH_MAXIMUM);
  await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
  await sql`delete from outbox where id = any(${`{${Entries.map(({ Id }) => Id).join(',')}}`}::uuid[])`;
}

listen(async (request, response) => {
  if (request.method !== 'POST') {
    response.writeHead(405).end();
    return;
  }
  const id = randomUUID();
  const { id: userId, created_at: time } = await respondInserted(sql, id, request, response);
  const event = {
    ...{ specversion: '1.0', id, source: '/user-api', type: 'user.created', time },
    ...{ datacontenttype: 'application/json', data: { userId: Number(userId) } },
  };
  held.push({ Id: id, MessageBody: JSON.stringify(event) });
  if (held.length === BATCH_MAXIMUM) await sendHeld();
  else linger ??= setTimeout(sendHeld, LINGER_MILLISECONDS);
});
