import { type DestinationStream, type Logger, pino } from 'pino';
import { findMisspelt } from '../../services/contracts/environment/misspelt.ts';
import { EnvironmentError } from '../../services/contracts/environment/read.ts';
import { loggedError, loggedMessage } from '../../services/contracts/observability/logged-error.ts';
import { traceFields } from '../../services/contracts/tracing/trace-context.ts';

export type { Logger };

/** Warns of variables in `source` that resemble a known one. */
export function warnOfMisspelt(
  logger: Logger,
  source: Readonly<Record<string, string | undefined>>,
): void {
  for (const { name, meant } of findMisspelt(source)) {
    logger.warn({ variable: name, meant }, 'Unknown environment variable resembles a known one');
  }
}

/**
 * A logger of JSON lines with the trace ids of the running code, and without personal data: callers log ids only, and errors are reduced to type,
 * code, message and stack, with email addresses masked.
 *
 * @param destination - @default standard output, synchronous because Lambda freezes the process after the invocation.
 */
export function createLogger(
  settings: { readonly LOG_LEVEL: string; readonly STAGE: string },
  service: string,
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
): Logger {
  return pino(
    {
      level: settings.LOG_LEVEL,
      base: { service, stage: settings.STAGE },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      mixin: traceFields,
      errorKey: 'error',
      serializers: { error: (error: unknown) => loggedError(error) },
    },
    destination,
  );
}

/**
 * The error that a handler throws in place of `error`: Lambda's runtime logs all properties of an error, where drivers keep parameters, rows and URLs.
 *
 * @param what - what failed, as a sentence.
 * @returns an {@link EnvironmentError} unchanged, because it quotes no secret; otherwise a new error without values.
 */
export function thrownError(what: string, error: unknown): Error {
  if (error instanceof EnvironmentError) return error;
  return new Error(`${what} ${loggedMessage(error)}`);
}
