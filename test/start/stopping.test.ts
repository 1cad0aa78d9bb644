import { describe, expect, it } from 'vitest';
import {
  nothingLeft,
  processIdOf,
  processTree,
  runStart,
  temporaryDirectory,
  until,
} from './start-command.ts';

describe('npm start', () => {
  it('leaves nothing running when it is killed, or stopped while it starts', async () => {
    await using directory = await temporaryDirectory();
    const variables = { LOCAL_DIRECTORY: directory.path };

    const interrupted = runStart(variables);
    await until('the start has begun', 30_000, () => interrupted.output().includes('PostgreSQL'));
    const interruptedProcesses = processTree(processIdOf(interrupted));
    expect((await interrupted.stop('SIGINT')).code).toBe(0);
    await nothingLeft(interruptedProcesses, directory.path);

    const killed = runStart(variables);
    await killed.ready();
    const killedProcesses = processTree(processIdOf(killed));
    await killed.stop('SIGKILL');
    await nothingLeft(killedProcesses, directory.path);
  });

  it('stops when npm is killed, which tells its shell only', async () => {
    await using directory = await temporaryDirectory();
    // As npm does: the shell waits for the program, and dies of the signal by itself.
    const underNpm = runStart(
      { LOCAL_DIRECTORY: directory.path, npm_lifecycle_event: 'start' },
      { command: ['sh', '-c', `"${process.execPath}" bin/start.ts; exit $?`] },
    );
    await underNpm.ready();
    const processes = processTree(processIdOf(underNpm));
    await underNpm.stop('SIGTERM');
    await nothingLeft(processes, directory.path);
    expect(underNpm.output()).toContain('Stopping (npm has ended).');
  });
});
