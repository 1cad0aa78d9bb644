/** The position in a trace, as processes pass it on (https://www.w3.org/TR/trace-context/). */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits, the same for all spans of a request. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits: the caller's span. */
  readonly spanId: string;
  /** Whether the caller records its span. */
  readonly sampled: boolean;
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
