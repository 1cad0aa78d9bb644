import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogOutput } from '../../../../services/user-api/observability/logger.ts';
import { eventually } from '../../../support/eventually.ts';

const LINE = `${'é'.repeat(99)}\n`;

function createOutput() {
  const directory = mkdtempSync(join(tmpdir(), 'log-output-'));
  const file = join(directory, 'log');
  const descriptor = openSync(file, 'a');
  onTestFinished(() => {
    closeSync(descriptor);
    rmSync(directory, { recursive: true });
  });
  return { output: new LogOutput(descriptor), written: () => readFileSync(file, 'utf8') };
}

describe('LogOutput', () => {
  it('keeps lines for a moment, and then writes them without being asked', async () => {
    const { output, written } = createOutput();
    output.write(LINE);
    output.write('second\n');
    expect(written()).toBe('');
    await eventually(() => expect(written()).toBe(`${LINE}second\n`));
  });

  it('at the end of the process, writes what there is before it goes on', () => {
    const { output, written } = createOutput();
    output.write('first\n');
    output.write('last words\n');
    output.flushSync();
    expect(written()).toBe('first\nlast words\n');
    output.flushSync();
    expect(written()).toBe('first\nlast words\n');
  });

  it('of more lines than it keeps, writes all, each once and in their order', async () => {
    const { output, written } = createOutput();
    const lines = Array.from({ length: 5_000 }, (_, index) => `${index} ${LINE}`);
    for (const [index, line] of lines.entries()) {
      output.write(line);
      if (index % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(() => expect(written() === lines.join('')).toBe(true));
  });
});
