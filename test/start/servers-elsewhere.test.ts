import { describe, expect, it } from 'vitest';
import {
  curlLines,
  nothingLeft,
  paste,
  processIdOf,
  processTree,
  runStart,
  temporaryDirectory,
} from './start-command.ts';

describe('npm start', () => {
  it('starts nothing embedded when it is pointed at servers that run elsewhere', async () => {
    await using elsewhere = await temporaryDirectory();
    await using directory = await temporaryDirectory();
    const servers = runStart({ LOCAL_DIRECTORY: elsewhere.path });
    await servers.ready();
    const output = servers.output();
    const databaseUrl = /psql (\S+)/.exec(output)?.[1] ?? '';
    const sqs = /SQS +(\S+),/.exec(output)?.[1] ?? '';
    const redis = /Redis +(127\.0\.0\.1:\d+)/.exec(output)?.[1];

    const pointed = runStart({
      LOCAL_DIRECTORY: directory.path,
      DATABASE_URL: databaseUrl,
      SQS_ENDPOINT: `http://${sqs}`,
      EMAIL_QUEUE_URL: `http://${sqs}/000000000000/email`,
      ...(redis !== undefined && { REDIS_URL: `redis://${redis}` }),
    });
    await pointed.ready();
    expect(await paste(curlLines(pointed.output())[0] ?? '')).toMatchObject({ id: 1 });
    const tree = processTree(processIdOf(pointed));
    expect(
      tree.filter(({ command }) => /postgres|redis|valkey/.test(command.split(' ')[0] ?? '')),
    ).toEqual([]);

    expect((await pointed.stop()).code).toBe(0);
    await nothingLeft(tree, directory.path);
    expect((await servers.stop()).code).toBe(0);
  });
});
