import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Event } from '../../contracts/events.ts';

/** Most messages that SQS takes in one request. */
export const SQS_BATCH_MAXIMUM = 10;
/** Longest wait for one request with all its tries; a lost answer is made up for by sending again. */
const SEND_TIMEOUT_MILLISECONDS = 3_000;
const TRIES = 2;

export interface EventSenderSettings {
  readonly queueUrl: string;
  readonly region: string;
  /** Endpoint of SQS. @default that of AWS */
  readonly endpoint?: string | undefined;
}

/** Sends events to a queue. */
export interface EventSender {
  /**
   * @param events - at most {@link SQS_BATCH_MAXIMUM}.
   * @returns the ids of those that the queue took, in part or in whole.
   * @throws when the queue could not be reached; it may have taken some then.
   */
  send(events: readonly Event[]): Promise<readonly string[]>;
  close(): void;
}

export function createEventSender(settings: EventSenderSettings): EventSender {
  const { endpoint, queueUrl, region } = settings;
  const client = new SQSClient({
    region,
    maxAttempts: TRIES,
    // A queue's URL may have a host that only the queue's own machine resolves.
    ...(endpoint === undefined ? {} : { endpoint, useQueueUrlAsEndpoint: false }),
  });
  return {
    async send(events) {
      const { Successful = [] } = await client.send(
        new SendMessageBatchCommand({
          QueueUrl: queueUrl,
          Entries: events.map((event) => ({ Id: event.id, MessageBody: JSON.stringify(event) })),
        }),
        { abortSignal: AbortSignal.timeout(SEND_TIMEOUT_MILLISECONDS) },
      );
      return Successful.flatMap(({ Id }) => (Id === undefined ? [] : [Id]));
    },
    close: () => client.destroy(),
  };
}
