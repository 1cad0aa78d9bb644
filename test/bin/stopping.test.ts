import { expect, it } from 'vitest';
import {
  nothingLeft,
  processIdOf,
  processTree,
  runStart,
  temporaryDirectory,
  until,
} from './start-command.ts';

it('npm start, stopped while it starts, leaves nothing running', async () => {
  await using directory = await temporaryDirectory();
  const interrupted = runStart({ LOCAL_DIRECTORY: directory.path });
  await until('the start has begun', 30_000, () => interrupted.output().includes('PostgreSQL'));
  const processes = processTree(processIdOf(interrupted));
  expect((await interrupted.stop('SIGINT')).code).toBe(0);
  await nothingLeft(processes, directory.path);
});
