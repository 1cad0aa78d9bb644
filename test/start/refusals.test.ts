import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nothingLeft, runStart, temporaryDirectory } from './start-command.ts';

describe('npm start', () => {
  describe('when it cannot start', () => {
    /** Expects the command to end by itself with one message, and with nothing left behind. */
    async function expectFailure(
      variables: Readonly<Record<string, string>>,
      message: RegExp,
      commandLine: readonly string[] = [],
    ) {
      const command = runStart(variables, { arguments: commandLine });
      const { code } = await command.exited;
      const output = command.output();

      expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(message) });
      expect(output.match(/^Error:/gm)).toHaveLength(1);
      expect(output, 'a stack trace is no message').not.toMatch(/^\s+at /m);
      if (variables.LOCAL_DIRECTORY?.startsWith('/proc/') === false)
        await nothingLeft([], variables.LOCAL_DIRECTORY);
    }

    it('names a port that is taken, and how to choose another', async () => {
      await using directory = await temporaryDirectory();
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const address = other.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;

      await expectFailure(
        { LOCAL_DIRECTORY: directory.path, PORT: String(port) },
        new RegExp(`Port ${port}.*\\(PORT\\), is taken[\\s\\S]*PORT=${port + 1} npm start`),
      );
      other.close();
    });

    it('names a folder that cannot be used, and the variable that names another', async () => {
      await using directory = await temporaryDirectory();
      const file = join(directory.path, 'file');
      await writeFile(file, '');

      await expectFailure(
        { LOCAL_DIRECTORY: join(file, 'below') },
        new RegExp(`${file}/below[\\s\\S]*LOCAL_DIRECTORY`),
      );
    });

    // /proc answers ENOENT to a folder made in it, over which a recursive mkdir of Node.js never returns.
    it.runIf(process.platform === 'linux')('names a folder that can never be made', async () => {
      await expectFailure({ LOCAL_DIRECTORY: '/proc/headroom/below' }, /LOCAL_DIRECTORY/);
    });

    it('names a data folder that is corrupt, and the command that resets it', async () => {
      await using directory = await temporaryDirectory();
      const variables = { LOCAL_DIRECTORY: directory.path };
      const first = runStart(variables);
      await first.ready();
      await first.stop();
      await writeFile(join(directory.path, 'postgres/primary/PG_VERSION'), 'nonsense\n');

      await expectFailure(variables, /postgres[\s\S]*npm run reset/);
    });

    it('names all variables that are wrong, before it starts anything, and one that is misspelt', async () => {
      await expectFailure(
        {
          PORT: 'http',
          DATABASE_POOL_SIZE: 'many',
          RATE_LIMITS: 'reads=5/60,reed=5/60',
          SQS_ENDPOINT: 'http://127.0.0.1:1',
          EMAIL_QUEU_URL: 'http://127.0.0.1:1/email',
        },
        /EMAIL_QUEU_URL is set[^\n]*mean EMAIL_QUEUE_URL[\s\S]*PORT got[\s\S]*DATABASE_POOL_SIZE got[\s\S]*RATE_LIMITS got "reed=5\/60"[\s\S]*EMAIL_QUEUE_URL is not/,
      );
    });

    it('names a server that cannot be reached', async () => {
      await using directory = await temporaryDirectory();

      await expectFailure(
        {
          LOCAL_DIRECTORY: directory.path,
          DATABASE_URL: 'postgres://nobody:hunter2@127.0.0.1:1/none',
        },
        /127\.0\.0\.1:1/,
      );
    });

    it('names an unknown option', async () => {
      await expectFailure({}, /--frobnicate[\s\S]*--help/, ['--frobnicate']);
    });
  });

  it('prints its usage for --help', async () => {
    const command = runStart({}, { arguments: ['--help'] });

    expect((await command.exited).code).toBe(0);
    expect(command.output()).toMatch(/^Usage: npm start/);
  });
});
