import { type DestinationStream, type Logger, pino } from 'pino';
import { Batcher } from '../../contracts/batching/batcher.ts';
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

/** So many lines, or those of so long, are one write: a write for each would cost more than the request. */
const BATCH_LINES = 50;
const BATCH_MILLISECONDS = 200;

/**
 * Where the lines of the log go, many at a time, without anybody waiting for it.
 *
 * pino's own destination batches lines, too (`minLength`), but counts the bytes of all that it has batched again at each line, and copies them
 * for that: with a hundred lines that takes as long as making the line (sonic-boom 4.2.1, `write`). So it gets them when they are to be written.
 */
export class LogOutput implements DestinationStream {
  readonly #descriptor: number;
  #destination: ReturnType<typeof pino.destination>;
  readonly #lines = new Batcher<string>({
    maximum: BATCH_LINES,
    lingerMilliseconds: BATCH_MILLISECONDS,
    run: (lines) => void this.#destination.write(lines.join('')),
  });

  /** @param descriptor - of an open file. @default standard output */
  constructor(descriptor = 1) {
    this.#descriptor = descriptor;
    this.#destination = pino.destination({ dest: descriptor, sync: false });
  }

  write(line: string): void {
    this.#lines.add(line);
  }

  /** Writes what there is, and returns when it is written; for the end of the process. */
  flushSync(): void {
    this.#destination.flushSync();
    // The asynchronous destination would begin a write that a process which exits does not wait for.
    this.#destination = pino.destination({ dest: this.#descriptor, sync: true });
    this.#lines.flush();
  }
}
