import { type DestinationStream, type Logger, pino } from 'pino';
import { maskEmailAddresses } from './mask.ts';

export type { Logger };

/** What of an error is logged: never its other properties, where drivers keep rows and parameters. */
interface LoggedError {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

function loggedError(error: unknown): LoggedError {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: maskEmailAddresses(String(error)) };
  }
  return {
    type: error.name,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    message: maskEmailAddresses(error.message),
    ...(error.stack === undefined ? {} : { stack: maskEmailAddresses(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: loggedError(error.cause) }),
  };
}

/**
 * A logger that writes one JSON object a line, with personal data kept out: callers log ids only, and the `error` field
 * is reduced to type, code, message and stack with email addresses masked.
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
      serializers: { error: loggedError },
    },
    destination,
  );
}
