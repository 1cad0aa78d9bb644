import type { IncomingMessage } from 'node:http';
import type { Span } from '../../../contracts/tracing/span.ts';
import type { TraceParent } from '../../../contracts/tracing/trace-parent.ts';

/** What metrics, logs and traces use of a request. */
export interface ObservedRequest extends IncomingMessage {
  /** In milliseconds of `performance.now()`. */
  readonly receivedAt: number;
  readonly requestId: string;
  /** Pattern of its route; null where none responds. */
  readonly route: string | null;
  /** Slug of the problem in the response; null where it is none. */
  readonly problem: string | null;
  readonly fromCache: boolean;
  /** Set by the observer: the trace that the request belongs to, and its span there when it is recorded. */
  trace: TraceParent | undefined;
  span: Span | undefined;
}
