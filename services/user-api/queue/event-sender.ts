import {
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { withDeadline } from '../../contracts/concurrency/deadline.ts';
import type { Event } from '../../contracts/events.ts';
import { errorType, type Span, type Tracer } from '../../contracts/tracing/span.ts';
import { formatTraceParent, parseTraceParent } from '../../contracts/tracing/trace-context.ts';

/** Most messages that SQS takes in one request. */
export const SQS_BATCH_MAXIMUM = 10;
/** Longest wait for one request with all its attempts; the relay sends the events of a lost response again. */
const SEND_TIMEOUT_MILLISECONDS = 3_000;
const ATTEMPTS = 2;

const sendTimeout = () =>
  new DOMException(`SQS did not respond within ${SEND_TIMEOUT_MILLISECONDS} ms`, 'TimeoutError');

export interface EventSenderSettings {
  readonly queueUrl: string;
  readonly region: string;
  /** Endpoint of SQS. @default that of AWS */
  readonly endpoint?: string | undefined;
  /** @default null: no spans are recorded */
  readonly tracer?: Tracer | null;
}

/** Sends events to a queue. */
export interface EventSender {
  /**
   * @param events - at most {@link SQS_BATCH_MAXIMUM}.
   * @returns the ids of the accepted ones.
   * @throws when the queue is not reachable; a `TimeoutError` after 3 s, when it may have accepted some.
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
  const { endpoint, queueUrl, region, tracer = null } = settings;
  const queueName = queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
  const client = new SQSClient({
    region,
    maxAttempts: ATTEMPTS,
    // A second checksum of each message costs a fifth of the sending; TLS protects the bytes already.
    md5: false,
    // The client's middlewares do not change; sorting them again for each request costs a tenth of the sending.
    cacheMiddleware: true,
    ...(endpoint === undefined
      ? {}
      : {
          endpoint,
          // The SDK refuses a custom endpoint together with these, which the shell or ~/.aws/config may set.
          useFipsEndpoint: false,
          useDualstackEndpoint: false,
        }),
  });
  return {
    async send(events) {
      const spans = new SendSpans(tracer, events, queueName);
      const command = new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: events.map((event) => ({
          Id: event.id,
          MessageBody: JSON.stringify(event),
          ...traceAttribute(spans.traceParent(event)),
        })),
      });
      try {
        const { Successful = [] } = await withDeadline(
          SEND_TIMEOUT_MILLISECONDS,
          sendTimeout,
          (abortSignal) => client.send(command, { abortSignal }),
        );
        const sent = Successful.flatMap(({ Id }) => (Id === undefined ? [] : [Id]));
        spans.end(sent);
        return sent;
      } catch (error) {
        spans.fail(error);
        throw error;
      }
    },
    close: () => client.destroy(),
  };
}

/** The message attribute with the trace, as OpenTelemetry's instrumentations of SQS name it. */
export const TRACE_ATTRIBUTE = 'traceparent';

/** The spans of a send: one in the trace of each event that is recorded. */
export class SendSpans {
  readonly #spans = new Map<string, Span>();

  constructor(tracer: Tracer | null, events: readonly Event[], queue: string) {
    if (tracer === null) return;
    for (const { id, traceparent } of events) {
      const parent = traceparent === undefined ? null : parseTraceParent(traceparent);
      if (parent === null || !parent.sampled) continue;
      const attributes = {
        'messaging.system': 'aws_sqs',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': queue,
        'messaging.batch.message_count': events.length,
        'cloudevents.event_id': id,
      };
      this.#spans.set(
        id,
        tracer.startSpan(`send ${queue}`, { kind: 'producer', attributes }, parent),
      );
    }
  }

  /** The `traceparent` of a message: that of its span, or of its event. */
  traceParent({ id, traceparent }: Event): string | undefined {
    const span = this.#spans.get(id);
    return span === undefined ? traceparent : formatTraceParent(span.parent);
  }

  /** @param sent - the ids of the accepted events. */
  end(sent: readonly string[]): void {
    for (const [id, span] of this.#spans) {
      if (!sent.includes(id)) span.fail('refused');
      span.end();
    }
  }

  fail(error: unknown): void {
    for (const span of this.#spans.values()) {
      span.fail(errorType(error));
      span.end();
    }
  }
}
