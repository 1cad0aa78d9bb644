import {
  type Tracer as OpenTelemetryApiTracer,
  type Span as OpenTelemetrySpan,
  SpanKind as OpenTelemetrySpanKind,
  ROOT_CONTEXT,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type SpanExporter,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { withDeadline } from '../concurrency/deadline.ts';
import type { Span, SpanKind, SpanOptions, TraceParent, Tracer } from './span.ts';
import { outsideTrace } from './trace-context.ts';

export interface OpenTelemetryTracerOptions {
  /** Name of the program in traces. */
  readonly service: string;
  readonly stage: string;
  /** URL of the collector; spans go to the path `/v1/traces` below it. */
  readonly endpoint: string;
  /** Headers of each request to the collector. */
  readonly headers: Readonly<Record<string, string>>;
  readonly onChange: (state: 'failing' | 'working', error?: unknown) => void;
}

/** Timeout of one request to the collector with all its attempts, in milliseconds. */
const EXPORT_TIMEOUT_MILLISECONDS = 5_000;
/** How long spans are batched before they are exported, in milliseconds; a crash loses as much. */
const EXPORT_DELAY_MILLISECONDS = 1_000;
/** Longer attributes are cut, such as a long statement, in characters. */
const ATTRIBUTE_MAXIMUM_LENGTH = 1_024;

const KINDS: Readonly<Record<SpanKind, OpenTelemetrySpanKind>> = {
  internal: OpenTelemetrySpanKind.INTERNAL,
  server: OpenTelemetrySpanKind.SERVER,
  client: OpenTelemetrySpanKind.CLIENT,
  producer: OpenTelemetrySpanKind.PRODUCER,
  consumer: OpenTelemetrySpanKind.CONSUMER,
};

/** The URL of traces, as the exporters of the OpenTelemetry Protocol derive it. */
function tracesUrl(endpoint: string): string {
  return `${endpoint.replace(/\/$/, '')}/v1/traces`;
}

class RecordedSpan implements Span {
  readonly parent: TraceParent;
  readonly #tracer: OpenTelemetryApiTracer;
  readonly #span: OpenTelemetrySpan;

  constructor(tracer: OpenTelemetryApiTracer, span: OpenTelemetrySpan) {
    const { traceId, spanId } = span.spanContext();
    this.#tracer = tracer;
    this.#span = span;
    this.parent = { traceId, spanId, sampled: true };
  }

  child(name: string, options: SpanOptions = {}): Span {
    const context = trace.setSpan(ROOT_CONTEXT, this.#span);
    return new RecordedSpan(
      this.#tracer,
      this.#tracer.startSpan(name, toOptions(options), context),
    );
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(attribute: string, value: string | number | boolean): void {
    this.#span.setAttribute(attribute, value);
  }

  fail(errorType: string): void {
    this.#span.setAttribute('error.type', errorType);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(): void {
    // The first span of a batch starts its export, which is not in the trace of that span.
    outsideTrace(() => this.#span.end());
  }
}

function toOptions({ kind = 'internal', attributes = {} }: SpanOptions) {
  return { kind: KINDS[kind], attributes };
}

/** The caller decides whether to record a span; so the SDK's sampler takes all of them. */
export class OpenTelemetryTracer implements Tracer {
  readonly #provider: TracerProvider;
  readonly #tracer: OpenTelemetryApiTracer;
  readonly #counts = { exported: 0, failed: 0 };

  constructor({ service, stage, endpoint, headers, onChange }: OpenTelemetryTracerOptions) {
    const exporter = new OTLPTraceExporter({
      url: tracesUrl(endpoint),
      headers: { ...headers },
      timeoutMillis: EXPORT_TIMEOUT_MILLISECONDS,
    });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': service,
        'service.namespace': 'headroom',
        'deployment.environment.name': stage,
      }),
      sampler: new AlwaysOnSampler(),
      spanLimits: { attributeValueLengthLimit: ATTRIBUTE_MAXIMUM_LENGTH },
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: observed(exporter, this.#counts, onChange),
          scheduledDelayMillis: EXPORT_DELAY_MILLISECONDS,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('headroom');
  }

  get counts() {
    return this.#counts;
  }

  startSpan(name: string, options: SpanOptions, parent: TraceParent | null): Span {
    const context =
      parent === null
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, {
            traceId: parent.traceId,
            spanId: parent.spanId,
            traceFlags: TraceFlags.SAMPLED,
            isRemote: true,
          });
    return new RecordedSpan(
      this.#tracer,
      this.#tracer.startSpan(name, toOptions(options), context),
    );
  }

  flush(timeoutMilliseconds: number): Promise<void> {
    return within(this.#provider.forceFlush(), timeoutMilliseconds);
  }

  close(timeoutMilliseconds: number): Promise<void> {
    return within(this.#provider.shutdown(), timeoutMilliseconds);
  }
}

/** Counts failed exports, and reports a change once: the SDK reports them only to a logger of the whole process. */
function observed(
  exporter: SpanExporter,
  counts: { exported: number; failed: number },
  onChange: OpenTelemetryTracerOptions['onChange'],
): SpanExporter {
  let failing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined || result.code !== 0;
        counts[failed ? 'failed' : 'exported'] += spans.length;
        if (failed !== failing) onChange(failed ? 'failing' : 'working', result.error);
        failing = failed;
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}

/** Waits for `work` for a limited time; whether it succeeds does not matter to the caller. */
async function within(work: Promise<void>, timeoutMilliseconds: number): Promise<void> {
  const createError = () => new Error('The collector did not respond in time');
  await withDeadline(timeoutMilliseconds, createError, () => work).catch(() => {});
}
