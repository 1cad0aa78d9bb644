import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startGuardian } from '../../../../services/local/process/guardian.ts';
import { isAlive } from '../../../../services/local/process/process-life.ts';
import { startProcess } from '../../../../services/local/process/supervised-process.ts';
import { startNodeProgram } from '../../../support/node-program.ts';
import type { StartedByOrchestrator } from './programs/orchestrator.ts';

const ORCHESTRATOR = fileURLToPath(new URL('./programs/orchestrator.ts', import.meta.url));
const WAIT = { timeout: 10_000, interval: 20 };
const FOREVER = ['--eval', 'setInterval(() => {}, 1000)'];
/** Writes down, by its name, that it runs, and so long after it is asked to end that it does. */
const ENDS_AFTER = `
  const [, name, diary, milliseconds] = process.argv;
  const write = (what) => fs.appendFileSync(diary, name + ' ' + what + '\\n');
  process.on('SIGTERM', () => setTimeout(() => { write('ended'); process.exit(); }, Number(milliseconds)));
  setInterval(() => {}, 1000);
  write('runs');
`;

describe('a guardian', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'ends all processes and removes the folder, when its owner is ended by %s',
    async (signal) => {
      const orchestrator = startNodeProgram<StartedByOrchestrator>(ORCHESTRATOR);
      const started = await orchestrator.next();
      expect(started.processIds.map(isAlive)).toEqual([true, true, true, true]);
      expect(existsSync(started.directory)).toBe(true);

      await orchestrator.end(signal);

      await expect
        .poll(() => started.processIds.map(isAlive), WAIT)
        .toEqual([false, false, false, false]);
      await expect.poll(() => existsSync(started.directory), WAIT).toBe(false);
    },
  );

  it('ends the last started first, when it is closed with processes still running', async () => {
    const other = startGuardian();
    onTestFinished(() => other.close());
    const directory = other.createTemporaryDirectory('headroom-guardian-test-');
    // What they write says when they ended; of the ends themselves this process may hear all at once, in any order.
    const diary = join(directory, 'diary');
    const written = () => readFileSync(diary, 'utf8').trimEnd().split('\n');
    writeFileSync(diary, '');
    const guardian = startGuardian();
    const start = async (name: string, milliseconds: number) => {
      await startProcess({
        name,
        command: process.execPath,
        arguments: ['--eval', ENDS_AFTER, name, diary, `${milliseconds}`],
        logFile: join(directory, `${name}.log`),
        guardian,
      });
      await expect.poll(written, WAIT).toContain(`${name} runs`);
    };
    // The slower one is to end first: if both were asked at once, it would end last.
    await start('first', 0);
    await start('second', 200);

    await guardian.close();

    expect(written().slice(2)).toEqual(['second ended', 'first ended']);
  });

  it('leaves a process alone, when that was released', async () => {
    const other = startGuardian();
    onTestFinished(() => other.close());
    const directory = other.createTemporaryDirectory('headroom-guardian-test-');
    const guardian = startGuardian();
    const survivor = await startProcess({
      name: 'survivor',
      command: process.execPath,
      arguments: FOREVER,
      logFile: join(directory, 'survivor.log'),
      guardian: other,
    });
    guardian.guard(survivor.processId, { stopSignals: ['SIGKILL'], stopTimeoutMilliseconds: 100 });
    guardian.release(survivor.processId);

    await guardian.close();

    expect(isAlive(survivor.processId)).toBe(true);
  });

  it('removes its folders with what is in them, when it is closed', async () => {
    const guardian = startGuardian();
    const directory = guardian.createTemporaryDirectory('headroom-guardian-test-');
    writeFileSync(join(directory, 'file'), 'text');

    await guardian.close();

    expect(existsSync(directory)).toBe(false);
  });

  it('lets nothing be started, when it is closed', async () => {
    const guardian = startGuardian();
    await guardian.close();

    const start = startProcess({
      name: 'latecomer',
      command: process.execPath,
      logFile: '/nowhere/at/all.log',
      guardian,
    });

    await expect(start).rejects.toThrow('latecomer was not started: the system is being stopped');
  });
});
