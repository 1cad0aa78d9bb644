import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workers } from '../../lib/config/workers.ts';
import {
  curlLines,
  nothingLeft,
  paste,
  processIdOf,
  processTree,
  runStart,
  type StartCommand,
  temporaryDirectory,
} from './start-command.ts';

describe('npm start, while another one runs,', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let first: StartCommand;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    first = runStart({ LOCAL_DIRECTORY: directory.path });
    await first.ready();
  });
  afterAll(() => directory[Symbol.asyncDispose]());

  it('refuses to use the same data, and the first goes on', async () => {
    const second = runStart({ LOCAL_DIRECTORY: directory.path });

    expect((await second.exited).code).toBe(1);
    expect(second.output()).toContain(`${directory.path} is already in use`);
    expect(await paste(curlLines(first.output())[0] ?? '')).toMatchObject({ id: 1 });
  });

  it('pointed at the servers of the first, starts nothing embedded', async () => {
    await using own = await temporaryDirectory();
    const output = first.output();
    const databaseUrl = /psql (\S+)/.exec(output)?.[1] ?? '';
    const sqs = /SQS +(\S+),/.exec(output)?.[1] ?? '';
    const redis = /Redis +(127\.0\.0\.1:\d+)/.exec(output)?.[1];

    const pointed = runStart({
      LOCAL_DIRECTORY: own.path,
      DATABASE_URL: databaseUrl,
      SQS_ENDPOINT: `http://${sqs}`,
      ...Object.fromEntries(
        workers.map(({ name, queueUrlVariable }) => [
          queueUrlVariable,
          `http://${sqs}/000000000000/${name}`,
        ]),
      ),
      ...(redis !== undefined && { REDIS_URL: `redis://${redis}` }),
    });
    await pointed.ready();
    expect(pointed.output()).not.toContain('does not respond');
    expect(await paste(curlLines(pointed.output())[0] ?? '')).toMatchObject({ id: 1 });
    const tree = processTree(processIdOf(pointed));
    expect(
      tree.filter(({ command }) => /postgres|redis|valkey/.test(command.split(' ')[0] ?? '')),
    ).toEqual([]);

    expect((await pointed.stop()).code).toBe(0);
    await nothingLeft(tree, own.path);
  });

  // The last one: it ends the first.
  it('leaves nothing of one that is killed', async () => {
    const tree = processTree(processIdOf(first));
    await first.stop('SIGKILL');
    await nothingLeft(tree, directory.path);
  });
});
