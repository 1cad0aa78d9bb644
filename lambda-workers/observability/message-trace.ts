import type { SQSRecord } from 'aws-lambda';
import { z } from 'zod';
import type { TraceParent, Tracer } from '../../services/contracts/tracing/span.ts';
import {
  during,
  inTrace,
  parseTraceParent,
  TRACE_PARENT_MAXIMUM_LENGTH,
} from '../../services/contracts/tracing/trace-context.ts';

/** Optional: an error for each of the many events without one would be the most expensive part. */
const traced = z.object({
  traceparent: z.string().max(TRACE_PARENT_MAXIMUM_LENGTH).optional(),
});

/** The trace of an event; that of the message, where it has one, takes precedence as the nearer span. */
function traceOfEvent(body: string): string | undefined {
  try {
    return traced.safeParse(JSON.parse(body)).data?.traceparent;
  } catch {
    return undefined;
  }
}

/** The trace of a message, or null. */
export function traceOfMessage({ body, messageAttributes }: SQSRecord): TraceParent | null {
  const text = messageAttributes.traceparent?.stringValue ?? traceOfEvent(body);
  return text === undefined ? null : parseTraceParent(text);
}

/**
 * Handles a message in its trace: with its ids in each line of the log, and as a span where the trace is recorded.
 *
 * @param tracer - null: no span is recorded.
 */
export async function inMessageTrace<Result>(
  tracer: Tracer | null,
  record: SQSRecord,
  handle: () => Promise<Result>,
): Promise<Result> {
  const parent = traceOfMessage(record);
  if (parent === null) return await handle();
  if (tracer === null || !parent.sampled) return await inTrace(parent, handle);
  const queue = record.eventSourceARN.slice(record.eventSourceARN.lastIndexOf(':') + 1);
  const attributes = {
    'messaging.system': 'aws_sqs',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': queue,
    'messaging.message.id': record.messageId,
    'headroom.receive_count': Number(record.attributes.ApproximateReceiveCount),
  };
  const span = tracer.startSpan(`process ${queue}`, { kind: 'consumer', attributes }, parent);
  return await during(span, handle);
}
