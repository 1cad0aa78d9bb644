import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAlive } from '../../../../services/local/process/process-life.ts';

describe('isAlive', () => {
  it('says true for a process that runs and false for one that has ended', async () => {
    const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    const processId = child.pid ?? 0;
    expect(isAlive(processId)).toBe(true);

    child.kill('SIGKILL');
    await once(child, 'exit');

    expect(isAlive(processId)).toBe(false);
  });

  it.runIf(process.platform === 'linux')(
    'says false, when the process has ended but nobody has waited for it',
    async () => {
      // The child ends when the shell has turned into the other `sleep`, which never waits for it.
      const shell = spawn('/bin/sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60']);
      onTestFinished(() => void shell.kill('SIGKILL'));
      const [line] = await once(shell.stdout, 'data');
      const zombie = Number(String(line));
      await expect
        .poll(() => readFileSync(`/proc/${zombie}/stat`, 'utf8'), { timeout: 5_000 })
        .toContain(') Z ');

      expect(isAlive(zombie)).toBe(false);
    },
  );
});
