import { type DestinationStream, type Logger, pino } from 'pino';
import { findMisspelt } from '../../services/contracts/environment/misspelt.ts';
import { EnvironmentError } from '../../services/contracts/environment/read.ts';
import { loggedError, loggedMessage } from '../../services/contracts/observability/logged-error.ts';
import { traceFields } from '../../services/contracts/tracing/trace-context.ts';

export type { Logger };

/** Warns of variables in `source` that look like one that programs here read. */
export function warnOfMisspelt(
  logger: Logger,
  source: Readonly<Record<string, string | undefined>>,
): void {
  for (const { name, meant } of findMisspelt(source)) {
    logger.warn({ variable: name, meant }, 'A variable that is not read looks like one that is');
  }
}

/**
 * A logger that writes one JSON object a line, with the ids of the trace that the running code belongs to, and with personal data kept
 * out: callers log ids only, and the `error` field is reduced to type, code, message and stack with email addresses masked.
 *
 * @param destination - where lines go. @default standard output, written at once, because Lambda may freeze the process
 * right after the invocation.
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
 * What a handler may throw in place of `error`: Lambda's runtime logs an error whole, with all of its properties, where drivers keep parameters, rows and URLs.
 *
 * @param what - what failed, as a sentence.
 * @returns an {@link EnvironmentError} as it is, because its text is made to be shown; of all else a new error that says what went wrong, without values.
 */
export function thrownError(what: string, error: unknown): Error {
  if (error instanceof EnvironmentError) return error;
  return new Error(`${what} ${loggedMessage(error)}`);
}
