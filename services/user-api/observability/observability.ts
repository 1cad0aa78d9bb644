import type { Tracer } from '../../contracts/tracing/span.ts';
import { createTracer } from '../../contracts/tracing/tracer.ts';
import type { Settings } from '../settings/settings.ts';
import type { Logger } from './logger.ts';
import { RequestObserver } from './requests/request-observer.ts';

/** Name of this program in logs and traces. */
export const SERVICE_NAME = 'user-api';

/** Longest that the last spans are waited for at the end, in milliseconds. */
const TRACER_CLOSE_TIMEOUT_MILLISECONDS = 2_000;

/** What sees the service from inside. */
export interface Observability {
  /** Null when nothing is recorded. */
  readonly tracer: Tracer | null;
  readonly observer: RequestObserver;
  /** Sends the last spans. */
  close(): Promise<void>;
}

export async function createObservability(
  settings: Settings,
  logger: Logger,
): Promise<Observability> {
  const tracer = await createTracer(settings, {
    service: SERVICE_NAME,
    onChange: (state, error) =>
      state === 'failing'
        ? logger.warn({ error }, 'The collector refuses traces: they are lost')
        : logger.info('The collector accepts traces again'),
  });
  const observer = new RequestObserver({
    logger,
    tracer,
    traceRatio: settings.OTEL_TRACES_SAMPLER_ARG,
    oneHitIn: settings.ACCESS_LOG_ONE_HIT_IN,
    slowRequestMilliseconds: settings.SLOW_REQUEST_MILLISECONDS,
  });
  return {
    tracer,
    observer,
    close: async () => await tracer?.close(TRACER_CLOSE_TIMEOUT_MILLISECONDS),
  };
}
