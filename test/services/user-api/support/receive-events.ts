import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type Event, event } from '../../../../services/contracts/events.ts';
import { system } from '../../../support/system.ts';

const RECEIVE_MAXIMUM = 10;

/**
 * Receives events from a queue, and deletes them there, until `enough` says so of all that have come.
 *
 * @throws the error of the test's timeout when that is never so.
 */
export async function receiveEvents(
  queueUrl: string,
  enough: (events: readonly Event[]) => boolean,
): Promise<readonly Event[]> {
  const { endpoint, region } = system().sqs;
  const client = new SQSClient({
    endpoint,
    region,
    useQueueUrlAsEndpoint: false,
    // Any will do here.
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const events: Event[] = [];
  try {
    while (!enough(events)) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: RECEIVE_MAXIMUM,
          WaitTimeSeconds: 1,
        }),
      );
      if (Messages.length === 0) continue;
      events.push(...Messages.map(({ Body }) => event.parse(JSON.parse(Body ?? ''))));
      await client.send(
        new DeleteMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: Messages.map(({ ReceiptHandle }, index) => ({
            Id: String(index),
            ReceiptHandle,
          })),
        }),
      );
    }
    return events;
  } finally {
    client.destroy();
  }
}

/** The ids of the users that events tell were created, each once, in ascending order. */
export function userIds(events: readonly Event[]): readonly number[] {
  const ids = events.flatMap((each) => (each.type === 'user.created' ? [each.data.userId] : []));
  return [...new Set(ids)].sort((a, b) => a - b);
}
