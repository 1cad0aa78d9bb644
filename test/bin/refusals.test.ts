import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { expectRefusal, temporaryDirectory } from './start-command.ts';

describe('npm start, when it cannot start,', () => {
  it('names a port that is taken, and how to choose another', async () => {
    await using directory = await temporaryDirectory();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;

    await expectRefusal(
      { LOCAL_DIRECTORY: directory.path, PORT: String(port) },
      new RegExp(`Port ${port}.*\\(PORT\\), is taken[\\s\\S]*PORT=${port + 1} npm start`),
    );
    other.close();
  });

  it('names a folder that cannot be used, and the variable that names another', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'file');
    await writeFile(file, '');

    await expectRefusal(
      { LOCAL_DIRECTORY: join(file, 'below') },
      new RegExp(`${file}/below[\\s\\S]*LOCAL_DIRECTORY`),
    );
  });

  // /proc answers ENOENT to a folder made in it, over which a recursive mkdir of Node.js never returns.
  it.runIf(process.platform === 'linux')('names a folder that can never be made', async () => {
    await expectRefusal({ LOCAL_DIRECTORY: '/proc/headroom/below' }, /LOCAL_DIRECTORY/);
  });

  it('names all variables that are wrong, before it starts anything, and one that is misspelt', async () => {
    await expectRefusal(
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

    await expectRefusal(
      {
        LOCAL_DIRECTORY: directory.path,
        DATABASE_URL: 'postgres://nobody:hunter2@127.0.0.1:1/none',
      },
      /127\.0\.0\.1:1/,
    );
  });
});
