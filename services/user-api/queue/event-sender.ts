import type { SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';
import type { Event } from '../../contracts/events.ts';
import type { Tracer } from '../../contracts/tracing/span.ts';
import { createMessageBatches, type QueueAddress } from './message-batches.ts';
import { SendSpans, TRACE_ATTRIBUTE } from './send-spans.ts';

/** Most messages that SQS takes in one request. */
export const SQS_BATCH_MAXIMUM = 10;
/** Longest wait for one request with all its tries; a lost answer is made up for by sending again. */
const SEND_TIMEOUT_MILLISECONDS = 3_000;

export interface EventSenderSettings extends QueueAddress {
  /** @default null: nothing is recorded */
  readonly tracer?: Tracer | null;
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

function traceAttribute(
  traceParent: string | undefined,
): Pick<SendMessageBatchRequestEntry, 'MessageAttributes'> {
  return traceParent === undefined
    ? {}
    : {
        MessageAttributes: { [TRACE_ATTRIBUTE]: { DataType: 'String', StringValue: traceParent } },
      };
}

export function createEventSender(settings: EventSenderSettings): EventSender {
  const { queueUrl, tracer = null } = settings;
  const queueName = queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
  const batches = createMessageBatches(settings);
  return {
    async send(events) {
      const spans = new SendSpans(tracer, events, queueName);
      const entries = events.map((event) => ({
        Id: event.id,
        MessageBody: JSON.stringify(event),
        ...traceAttribute(spans.traceParent(event)),
      }));
      // Not AbortSignal.timeout, which goes off all the same when the batch has long been sent, and makes an error then.
      const timeout = new AbortController();
      const timer = setTimeout(
        () => timeout.abort(new Error(`SQS did not answer within ${SEND_TIMEOUT_MILLISECONDS} ms`)),
        SEND_TIMEOUT_MILLISECONDS,
      );
      try {
        const sent = await batches.send(entries, timeout.signal);
        spans.end(sent);
        return sent;
      } catch (error) {
        spans.fail(error);
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => batches.close(),
  };
}
