import { AsyncLocalStorage } from 'node:async_hooks';
import { outsideScope } from '../changes/change-scope.ts';
import { errorType, type Span, type SpanOptions } from './span.ts';
import { formatTraceParent, type TraceParent } from './trace-parent.ts';

/** The trace that running code belongs to. */
interface TraceContext {
  readonly parent: TraceParent;
  /** Null where nothing is recorded: then the trace is only passed on, and named in logs. */
  readonly span: Span | null;
}

/**
 * One for the process, as Node.js means them to be: it follows the code that runs, whoever's it is. With no trace in flight
 * it costs nothing but the look at it, some 10 ns.
 */
const contexts = new AsyncLocalStorage<TraceContext | undefined>();

/** The trace that the running code belongs to, recorded or not. */
export function currentTrace(): TraceParent | undefined {
  return contexts.getStore()?.parent;
}

/** {@link currentTrace} as it is passed on; null where there is none. */
export function currentTraceParent(): string | null {
  const parent = currentTrace();
  return parent === undefined ? null : formatTraceParent(parent);
}

/** The span that the running code is part of, where one is recorded. */
export function currentSpan(): Span | undefined {
  return contexts.getStore()?.span ?? undefined;
}

/** Runs `work` and all that it begins as part of a trace that is not recorded here. */
export function inTrace<Result>(parent: TraceParent, work: () => Result): Result {
  return contexts.run({ parent, span: null }, work);
}

/** Runs `work` and all that it begins as part of `span`, which the caller ends. */
export function inSpan<Result>(span: Span, work: () => Result): Result {
  return contexts.run({ parent: span.parent, span }, work);
}

/** Runs `work` as part of no trace and no request: for what a request sets off but others share, such as a timer. */
export function outsideTrace<Result>(work: () => Result): Result {
  return contexts.getStore() === undefined
    ? outsideScope(work)
    : contexts.run(undefined, () => outsideScope(work));
}

/** Runs `work` as part of `span`, which ends with it. */
export async function during<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    return await inSpan(span, work);
  } catch (error) {
    span.fail(errorType(error));
    throw error;
  } finally {
    span.end();
  }
}

/** Runs `work` as a span of its own, inside the one that is recorded; without one, just runs it. */
export function traced<Result>(
  name: string,
  options: SpanOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  const span = currentSpan();
  return span === undefined ? work() : during(span.child(name, options), work);
}

/** The ids of the trace that the running code belongs to, for each line that is logged; nothing where there is none. */
export function traceFields(): { readonly traceId?: string; readonly spanId?: string } {
  const trace = currentTrace();
  return trace === undefined ? {} : { traceId: trace.traceId, spanId: trace.spanId };
}
