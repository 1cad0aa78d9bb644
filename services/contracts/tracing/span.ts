/** The position in a trace, as processes pass it on (https://www.w3.org/TR/trace-context/). */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits, the same for all spans of a request. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits: the caller's span. */
  readonly spanId: string;
  /** Whether the caller records its span. */
  readonly sampled: boolean;
}

/** The role of a span (https://opentelemetry.io/docs/concepts/signals/traces/#span-kind). */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/**
 * Attributes, with names of OpenTelemetry's semantic conventions where there is one (https://opentelemetry.io/docs/specs/semconv/). Never
 * personal data: others keep traces, and for long.
 */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** @default internal */
  readonly kind?: SpanKind;
  /** @default none */
  readonly attributes?: SpanAttributes;
}

/** A recorded operation. */
export interface Span {
  /** Its trace and id, to pass on. */
  readonly parent: TraceParent;
  /** Starts a child span. */
  child(name: string, options?: SpanOptions): Span;
  /** Names have a low cardinality: they contain no ids. */
  rename(name: string): void;
  set(attribute: string, value: string | number | boolean): void;
  /** @param errorType - a code, or {@link errorType} of an error; never a message, which may quote personal data. */
  fail(errorType: string): void;
  end(): void;
}

/** Records spans and sends them to a collector. */
export interface Tracer {
  /** @param parent - null starts a new trace. */
  startSpan(name: string, options: SpanOptions, parent: TraceParent | null): Span;
  /** Exports the recorded spans. Never rejects, and takes at most `timeoutMilliseconds`. */
  flush(timeoutMilliseconds: number): Promise<void>;
  /** Exports the recorded spans, and stops. Never rejects, and takes at most `timeoutMilliseconds`. */
  close(timeoutMilliseconds: number): Promise<void>;
  /** Spans that the collector accepted, and lost ones. */
  readonly counts: { readonly exported: number; readonly failed: number };
}

/** `error.type` of OpenTelemetry: the code of an error, or its class. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
