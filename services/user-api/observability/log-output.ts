import { type DestinationStream, pino } from 'pino';
import { Batcher } from '../../contracts/batching/batcher.ts';

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
