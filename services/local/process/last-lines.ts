import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** A log may have grown for days; its last lines are in its last part. */
const READ_BYTES = 64 * 1_024;

/** The last lines of a file, without the empty one at its end; none when it cannot be read. */
export function lastLines(file: string, count: number): string[] {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const { size } = fstatSync(descriptor);
    const part = Buffer.alloc(Math.min(size, READ_BYTES));
    readSync(descriptor, part, 0, part.length, size - part.length);
    const text = part.toString('utf8').trimEnd();
    return text === '' ? [] : text.split('\n').slice(-count);
  } catch {
    return [];
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
