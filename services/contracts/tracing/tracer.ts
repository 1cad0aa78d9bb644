import type { Environment } from '../environment/read.ts';
import type { Tracer } from './span.ts';

/** The variables of a tracer, as `readEnvironment` parses them. */
export const tracerVariables = [
  'STAGE',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
] as const;

export type TracerSettings = Environment<(typeof tracerVariables)[number]>;

export interface TracerOptions {
  /** Name of the program in traces. */
  readonly service: string;
  /** Called when exports begin to fail, and when they succeed again. */
  readonly onChange: (state: 'failing' | 'working', error?: unknown) => void;
}

/** A tracer that exports to `OTEL_EXPORTER_OTLP_ENDPOINT`; null where that is unset: then OpenTelemetry's SDK is not loaded. */
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
