import fs from 'node:fs';
import { onTestFinished, vi } from 'vitest';

const STANDARD_OUTPUT = 1;

/** Lines of a program's log from now until the test ends, parsed. They do not reach standard output. */
export function captureLog(): readonly Readonly<Record<string, unknown>>[] {
  const lines: Record<string, unknown>[] = [];
  const write = fs.writeSync;
  const spy = vi
    .spyOn(fs, 'writeSync')
    .mockImplementation((descriptor: number, data: unknown, ...rest: unknown[]) => {
      if (descriptor !== STANDARD_OUTPUT) {
        return Reflect.apply(write, fs, [descriptor, data, ...rest]);
      }
      const text = String(data);
      for (const line of text.trim().split('\n')) lines.push(JSON.parse(line));
      return Buffer.byteLength(text);
    });
  onTestFinished(() => spy.mockRestore());
  return lines;
}
