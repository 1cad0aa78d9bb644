import { type DestinationStream, pino } from 'pino';

/** Lines are batched to this many characters, or this long, before they are written: a write for each would cost more than the request. */
const BATCH_CHARACTERS = 12_288;
const BATCH_MILLISECONDS = 200;

/**
 * Where the lines of the log go, many at a time, without anybody waiting for it.
 *
 * pino's own destination gathers lines, too (`minLength`), but counts the bytes of all that it has batched again at each line, and copies them
 * for that: with a hundred lines that takes as long as making the line (sonic-boom 4.2.1, `write`). So it gets them here when they are to be written.
 */
export class LogOutput implements DestinationStream {
  readonly #destination: ReturnType<typeof pino.destination>;
  #lines = '';

  /** @param descriptor - of an open file. @default standard output */
  constructor(descriptor = 1) {
    this.#destination = pino.destination({ dest: descriptor, sync: false });
    setInterval(() => this.#send(), BATCH_MILLISECONDS).unref();
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= BATCH_CHARACTERS) this.#send();
  }

  /** Writes what there is, and returns when it is written; for the end of the process. */
  flushSync(): void {
    this.#send();
    this.#destination.flushSync();
  }

  #send(): void {
    if (this.#lines === '') return;
    const lines = this.#lines;
    this.#lines = '';
    this.#destination.write(lines);
  }
}
