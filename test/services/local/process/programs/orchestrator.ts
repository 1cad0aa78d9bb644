import { join } from 'node:path';
import { startGuardian } from '../../../../../services/local/process/guardian.ts';
import { startProcess } from '../../../../../services/local/process/supervised-process.ts';

export interface StartedByOrchestrator {
  readonly directory: string;
  /** An obedient process, one that is deaf to SIGTERM, one with a child, and that child. */
  readonly processIds: readonly number[];
}

/** Starts what the guardian's test then expects to be ended, prints the process ids, and waits to be killed. */
async function main(): Promise<void> {
  const guardian = startGuardian();
  const directory = guardian.createTemporaryDirectory('headroom-guardian-test-');
  const start = (name: string, program: string) =>
    startProcess({
      name,
      command: process.execPath,
      arguments: ['--eval', program],
      logFile: join(directory, `${name}.log`),
      guardian,
      stopTimeoutMilliseconds: 200,
    });
  const obedient = await start('obedient', 'setInterval(() => {}, 1000)');
  const stubborn = await start(
    'stubborn',
    "process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000)",
  );
  const parent = await start(
    'parent',
    `const child = require('node:child_process').spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)']);
     console.log(child.pid); setInterval(() => {}, 1000)`,
  );
  while (stubborn.lastLogLines(1)[0] !== 'deaf' || parent.lastLogLines(1).length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const started: StartedByOrchestrator = {
    directory,
    processIds: [
      obedient.processId,
      stubborn.processId,
      parent.processId,
      Number(parent.lastLogLines(1)[0]),
    ],
  };
  process.send?.(started);
}

process.once('disconnect', () => process.exit());
await main();
