import { type DestinationStream, type Logger, pino } from 'pino';
import { loggedError } from '../../contracts/observability/logged-error.ts';
import { traceFields } from '../../contracts/tracing/trace-context.ts';

export type { Logger };

export interface LoggerSettings {
  readonly LOG_LEVEL: string;
  readonly STAGE: string;
}

/** Fields that hold personal data or secrets; masked at the top of a line and up to two objects deep in it. */
const MASKED_FIELDS = [
  'name',
  'email',
  'authorization',
  'cookie',
  'set-cookie',
  'password',
  'token',
  'query',
  'url',
];

/**
 * A logger that writes one JSON object a line to standard output. Callers log ids, not persons; the masks are there for
 * the day that one forgets. An error goes into the field `error` and is reduced to its type, code, message and stack.
 *
 * @param destination - where lines go. @default standard output
 */
export function createLogger(
  settings: LoggerSettings,
  destination: DestinationStream = pino.destination({ dest: 1, sync: true }),
): Logger {
  const fields = MASKED_FIELDS.map((field) => `["${field}"]`);
  return pino(
    {
      level: settings.LOG_LEVEL,
      base: { service: 'user-api', stage: settings.STAGE },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      mixin: traceFields,
      errorKey: 'error',
      serializers: { error: (error: unknown) => loggedError(error) },
      redact: {
        paths: fields.flatMap((field) => [field, `*${field}`, `*.*${field}`]),
        censor: '***',
      },
    },
    destination,
  );
}
