import type { Environment } from '../environment/read.ts';
import type { Tracer } from './span.ts';

/** The variables a tracer is made from, as `readEnvironment` parses them. */
export const tracerVariables = [
  'STAGE',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
] as const;

export type TracerSettings = Environment<(typeof tracerVariables)[number]>;

export interface TracerOptions {
  /** Name of the program in traces. */
  readonly service: string;
  /** Told when the collector begins to refuse spans or not to answer, and when it takes them again. */
  readonly onChange: (state: 'failing' | 'working', error?: unknown) => void;
}

/**
 * A tracer that sends to the collector at `OTEL_EXPORTER_OTLP_ENDPOINT`, and null where that is unset. OpenTelemetry's SDK is
 * loaded only here and only then: nobody who traces nothing pays for it.
 */
export async function createTracer(
  settings: TracerSettings,
  options: TracerOptions,
): Promise<Tracer | null> {
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return null;
  const { OpenTelemetryTracer } = await import('./open-telemetry.ts');
  return new OpenTelemetryTracer({
    ...options,
    endpoint,
    headers: settings.OTEL_EXPORTER_OTLP_HEADERS,
    stage: settings.STAGE,
  });
}
