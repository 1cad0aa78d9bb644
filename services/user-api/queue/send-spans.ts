import type { Event } from '../../contracts/events.ts';
import { errorType } from '../../contracts/tracing/error-type.ts';
import type { Span, Tracer } from '../../contracts/tracing/span.ts';
import { formatTraceParent, parseTraceParent } from '../../contracts/tracing/trace-parent.ts';

/** Name of the message attribute that tells the receiver of the trace, as OpenTelemetry's instrumentations of SQS have it. */
export const TRACE_ATTRIBUTE = 'traceparent';

/** The sending of a batch, in the trace of each of its events that is recorded. */
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

  /** What a message is to be sent with: the trace it travels in, or the one that its event names. */
  traceParent({ id, traceparent }: Event): string | undefined {
    const span = this.#spans.get(id);
    return span === undefined ? traceparent : formatTraceParent(span.parent);
  }

  /** @param sent - the ids of the events that the queue took. */
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
