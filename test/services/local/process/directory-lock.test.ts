import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { lockDirectory } from '../../../../services/local/process/directory-lock.ts';
import { type Guardian, startGuardian } from '../../../../services/local/process/guardian.ts';
import { startNodeProgram } from '../../../support/node-program.ts';

const HOLDER = fileURLToPath(new URL('./programs/lock-holder.ts', import.meta.url));

let guardian: Guardian;
let directory: string;
beforeAll(() => {
  guardian = startGuardian();
});
beforeEach(() => {
  directory = guardian.createTemporaryDirectory('headroom-lock-test-');
});
afterAll(() => guardian.close());

describe('the lock of a folder', () => {
  it('is refused with the holder, when another process has it', async () => {
    const holder = startNodeProgram(HOLDER, [directory]);
    onTestFinished(() => holder.end('SIGKILL'));
    await holder.next();

    expect(() => lockDirectory(directory)).toThrow(
      `The folder ${directory} is already in use by a system that is running (process ${holder.processId}).`,
    );
  });

  it('can be had, when its holder was killed', async () => {
    const holder = startNodeProgram(HOLDER, [directory]);
    await holder.next();
    await holder.end('SIGKILL');

    expect(() => lockDirectory(directory).release()).not.toThrow();
  });

  it('is refused, when this process has it already, until it is released', () => {
    const lock = lockDirectory(directory);
    expect(() => lockDirectory(directory)).toThrow('already in use');
    lock.release();

    expect(() => lockDirectory(directory).release()).not.toThrow();
  });

  it('makes the folder, when it is not there', () => {
    const lock = lockDirectory(join(directory, 'a', 'b'));
    onTestFinished(() => lock.release());

    expect(() => lockDirectory(join(directory, 'a', 'b'))).toThrow('already in use');
  });

  it('fails with the path and the reason, when a file is in the way', () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');

    expect(() => lockDirectory(file)).toThrow(
      `Could not use the folder ${file}: a part of the path is a file, not a folder.`,
    );
  });
});
