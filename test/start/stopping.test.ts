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
});
