import { currentTrace } from '../tracing/trace-context.ts';

/** The ids of the trace that the running code belongs to, for each line that is logged; nothing where there is none. */
export function traceFields(): { readonly traceId?: string; readonly spanId?: string } {
  const trace = currentTrace();
  return trace === undefined ? {} : { traceId: trace.traceId, spanId: trace.spanId };
}
