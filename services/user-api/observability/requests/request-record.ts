import type { IncomingMessage } from 'node:http';
import type { Span } from '../../../contracts/tracing/span.ts';
import type { TraceParent } from '../../../contracts/tracing/trace-parent.ts';

/** A request as metrics, logs and traces see it. */
export interface ObservedRequest extends Pick<IncomingMessage, 'headers' | 'method'> {
  /** In milliseconds of `performance.now()`. */
  readonly receivedAt: number;
  readonly requestId: string;
}

/** What is recorded of a request besides itself; the steps that it passes fill it in. */
export class RequestRecord {
  /** Pattern of the route that responds, such as `/api/v1/users/{id}`; null while none does. */
  route: string | null = null;
  /** Slug of the problem in the response; null while there is none. */
  problem: string | null = null;
  /** Whether a cache had the response, in this process's memory or in Redis: only some of these requests are logged. */
  fromCache = false;
  /** The trace that it belongs to, and its span there when it is recorded. */
  trace: TraceParent | undefined = undefined;
  span: Span | undefined = undefined;
}
