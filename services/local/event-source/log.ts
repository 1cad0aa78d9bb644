import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Where a worker's output goes. */
export interface WorkerLog {
  /** Descriptor for the runtimes' standard output and error. @default this process's own */
  readonly descriptor?: number;
  /** Appends one line; without a file it is dropped. */
  write(line: string): void;
  close(): void;
}

/**
 * Opens a log file for appending, so that the event source and its runtimes can write to it side by side, or none.
 *
 * @throws the file system's error when the file cannot be opened.
 */
export function openLog(file: string | undefined): WorkerLog {
  if (file === undefined) return { write: () => {}, close: () => {} };
  mkdirSync(dirname(file), { recursive: true });
  const descriptor = openSync(file, 'a', 0o600);
  let open = true;
  return {
    descriptor,
    write(line) {
      if (open) writeSync(descriptor, `${line}\n`);
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}
