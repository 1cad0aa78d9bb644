import { AsyncLocalStorage } from 'node:async_hooks';
import { outsideScope } from '../changes/change-scope.ts';
import { errorType, type Span, type SpanOptions, type TraceParent } from './span.ts';

/** The trace of the running code. */
interface TraceContext {
  readonly parent: TraceParent;
  /** Null where nothing is recorded: then the trace is only passed on and logged. */
  readonly span: Span | null;
}

/** One for the process, as Node.js recommends. Reading it costs some 10 ns. */
const contexts = new AsyncLocalStorage<TraceContext | undefined>();

/** The trace of the running code, recorded or not. */
export function currentTrace(): TraceParent | undefined {
  return contexts.getStore()?.parent;
}

/** {@link currentTrace} as `traceparent`; null where there is none. */
export function currentTraceParent(): string | null {
  const parent = currentTrace();
  return parent === undefined ? null : formatTraceParent(parent);
}

/** The recorded span of the running code, if any. */
export function currentSpan(): Span | undefined {
  return contexts.getStore()?.span ?? undefined;
}

/** Runs `work` and all that it starts in a trace that is not recorded here. */
export function inTrace<Result>(parent: TraceParent, work: () => Result): Result {
  return contexts.run({ parent, span: null }, work);
}

/** Runs `work` and all that it starts in `span`, which the caller ends. */
export function inSpan<Result>(span: Span, work: () => Result): Result {
  return contexts.run({ parent: span.parent, span }, work);
}

/** Runs `work` in no trace and no request: for work that several requests share, such as a timer. */
export function outsideTrace<Result>(work: () => Result): Result {
  return contexts.getStore() === undefined
    ? outsideScope(work)
    : contexts.run(undefined, () => outsideScope(work));
}

/** Runs `work` in `span`, which ends with it. */
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

/** Runs `work` in a child of the current span; without one, just runs it. */
export function traced<Result>(
  name: string,
  options: SpanOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  const span = currentSpan();
  return span === undefined ? work() : during(span.child(name, options), work);
}

/** The trace ids of the running code for lines of the log; empty where there is no trace. */
export function traceFields(): { readonly traceId?: string; readonly spanId?: string } {
  const trace = currentTrace();
  return trace === undefined ? {} : { traceId: trace.traceId, spanId: trace.spanId };
}

/** Maximum length of the header; a later version may be longer than the 55 characters of version 00. */
export const TRACE_PARENT_MAXIMUM_LENGTH = 128;

const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const FORBIDDEN_VERSION = 'ff';
const CURRENT_VERSION = '00';
const SAMPLED_FLAG = 0x01;

/** @returns null for an invalid `traceparent`: then a new trace starts (section 4.3 of the recommendation). */
export function parseTraceParent(text: string): TraceParent | null {
  if (text.length > TRACE_PARENT_MAXIMUM_LENGTH) return null;
  const [, version, traceId = NO_TRACE, spanId = NO_SPAN, flags = '', rest] =
    TRACE_PARENT.exec(text) ?? [];
  if (version === undefined || version === FORBIDDEN_VERSION) return null;
  if (version === CURRENT_VERSION && rest !== undefined) return null;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED_FLAG) !== 0 };
}

/** In version 00. */
export function formatTraceParent({ traceId, spanId, sampled }: TraceParent): string {
  return `${CURRENT_VERSION}-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
