import type { TraceParent } from './trace-parent.ts';

/** What a span's work is to others (https://opentelemetry.io/docs/concepts/signals/traces/#span-kind). */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/**
 * Facts about a span, by the names of OpenTelemetry's semantic conventions where there is one
 * (https://opentelemetry.io/docs/specs/semconv/). Never personal data: traces are kept by others, and for long.
 */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** @default internal */
  readonly kind?: SpanKind;
  /** @default none */
  readonly attributes?: SpanAttributes;
}

/** A stretch of work that is being recorded. */
export interface Span {
  /** How others refer to it. */
  readonly parent: TraceParent;
  /** Begins a span inside this one. */
  child(name: string, options?: SpanOptions): Span;
  /** Names are few: they hold no ids. */
  rename(name: string): void;
  set(attribute: string, value: string | number | boolean): void;
  /** @param errorType - a code, or what `errorType` says of an error; never a message, which may quote what somebody sent. */
  fail(errorType: string): void;
  end(): void;
}

/** Records spans and sends them to a collector. */
export interface Tracer {
  /** @param parent - what it continues; null begins a trace. */
  startSpan(name: string, options: SpanOptions, parent: TraceParent | null): Span;
  /** Sends what has been recorded. Never rejects, and takes no longer than `timeoutMilliseconds`. */
  flush(timeoutMilliseconds: number): Promise<void>;
  /** Sends what has been recorded, and stops. Never rejects, and takes no longer than `timeoutMilliseconds`. */
  close(timeoutMilliseconds: number): Promise<void>;
  /** Spans that the collector has taken, and those that were lost because it did not. */
  readonly counts: { readonly exported: number; readonly failed: number };
}

/** What OpenTelemetry calls `error.type`: the code of an error where it has one, and else its class. */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
