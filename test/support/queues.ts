import { randomBytes } from 'node:crypto';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { inject } from 'vitest';
import {
  createQueues as createQueuesAt,
  type QueueDefinition,
  type QueueUrls,
} from '../../services/local/sqs/queues.ts';

/**
 * Makes queues and dead-letter queues for one suite, with names of their own.
 * @returns the URLs by the definition's name, as it is.
 */
export async function createQueues<Name extends string>(
  definitions: readonly (QueueDefinition & { readonly name: Name })[],
): Promise<Record<Name, QueueUrls>> {
  const suffix = `-${randomBytes(6).toString('hex')}`;
  return await createQueuesAt(inject('system').sqs.endpoint, definitions, suffix);
}

/** Sends `body` as JSON. */
export async function sendMessage(queueUrl: string, body: unknown): Promise<void> {
  const { endpoint, region } = inject('system').sqs;
  const client = new SQSClient({
    endpoint,
    region,
    useQueueUrlAsEndpoint: false,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await client.send(
    new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(body) }),
  );
  client.destroy();
}
