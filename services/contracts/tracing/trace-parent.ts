/** Where in a trace something happened, as one process tells another (https://www.w3.org/TR/trace-context/). */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits, the same for all that one request causes. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits: the caller's span. */
  readonly spanId: string;
  /** Whether the caller records its part. */
  readonly sampled: boolean;
}

/** The longest header that is looked at; a later version may be longer than the 55 characters of version 00. */
export const TRACE_PARENT_MAXIMUM_LENGTH = 128;

const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
const FORBIDDEN_VERSION = 'ff';
const CURRENT_VERSION = '00';
const SAMPLED_FLAG = 0x01;

/** @returns null for what is no valid `traceparent`: then a new trace begins, as section 4.3 of the recommendation asks. */
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
