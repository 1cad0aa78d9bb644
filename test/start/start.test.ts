import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  curlLines,
  nothingLeft,
  processTree,
  runStart,
  temporaryDirectory,
  until,
} from './start-command.ts';

const run = promisify(execFile);

/** Runs a line as somebody would who pastes it, and parses the JSON that it prints. */
async function paste(line: string): Promise<unknown> {
  const { stdout } = await run('sh', ['-c', line]);
  return JSON.parse(stdout);
}

const originOf = (line: string) => /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? '';

function send(method: string, url: string, body: object, accessToken?: string): Promise<Response> {
  return fetch(url, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify(body),
  });
}

/** Logs in by the line on the screen, and changes what only an administrator may. */
async function changeAsAdministrator(login: string): Promise<void> {
  const user = `${originOf(login)}/api/users/7`;
  const change = { status: 'active' };
  expect((await send('PATCH', user, change)).status).toBe(401);
  const { accessToken } = (await paste(login)) as { accessToken: string };
  const changed = await send('PATCH', user, change, accessToken);
  expect(changed.status).toBe(200);
  expect(await changed.json()).toMatchObject({ id: 7, email: expect.stringContaining('@') });
}

/** Asks for a new password, takes the secret out of the email as its reader would, and logs in with what it has set. */
async function resetPassword(email: string, anyLine: string, listMessages: string): Promise<void> {
  const api = `${originOf(anyLine)}/api/v1/auth`;
  expect((await send('POST', `${api}/password-resets`, { email })).status).toBe(202);
  let link = '';
  await until('the link to a new password has arrived', 30_000, async () => {
    const { messages } = (await paste(listMessages)) as {
      messages: { id: string; subject: string }[];
    };
    const message = messages.find(({ subject }) => /password/i.test(subject));
    if (message === undefined) return false;
    const text = await (await fetch(`${originOf(listMessages)}/api/messages/${message.id}`)).text();
    link = /http:[^\s"\\<]+#token=[\w-]+/.exec(text)?.[0] ?? '';
    return link !== '';
  });
  expect((await fetch(link)).headers.get('content-type')).toContain('text/html');
  const newPassword = 'a pass phrase out of a letter';
  const token = link.split('#token=')[1];
  const confirmed = await send('POST', `${api}/password-resets/confirm`, { token, newPassword });
  expect(confirmed.status).toBe(204);
  const again = await send('POST', `${api}/password-resets/confirm`, { token, newPassword });
  expect(again.status).toBe(400);
  const login = await send('POST', `${api}/login`, { email, password: newPassword });
  expect(login.status).toBe(200);
}

function processIdOf(command: { child: { pid?: number | undefined } }): number {
  if (command.child.pid === undefined) throw new Error('the start command has no process id');
  return command.child.pid;
}

describe('npm start', () => {
  it('starts the whole system, keeps its data between runs, and leaves nothing running', async () => {
    await using directory = await temporaryDirectory();
    const variables = { LOCAL_DIRECTORY: directory.path };

    const first = runStart(variables);
    await first.ready();
    const [getUser, listUsers, createUser, listMessages, login] = curlLines(first.output());
    expect(await paste(getUser ?? '')).toMatchObject({ id: 1, version: 1 });
    expect(await paste(listUsers ?? '')).toMatchObject({ data: [{}, {}, {}] });
    const created = await paste(createUser ?? '');
    expect(created).toMatchObject({ name: 'Ada Lovelace', status: 'active' });
    // End to end: the row, the outbox, SQS, the event source, the handler, the mailbox.
    const { email } = created as { email: string };
    await until('the welcome has arrived', 30_000, async () =>
      JSON.stringify(await paste(listMessages ?? '')).includes(email),
    );

    await changeAsAdministrator(login ?? '');
    await resetPassword(email, createUser ?? '', listMessages ?? '');
    const { mode } = await stat(join(directory.path, 'secrets/secrets.json'));
    expect(mode & 0o777).toBe(0o600);

    const firstProcesses = processTree(processIdOf(first));
    expect(firstProcesses.filter(({ command }) => /postgres/.test(command)).length).toBeGreaterThan(
      2,
    );
    expect(await first.stop('SIGINT')).toEqual({ code: 0, signal: null });
    await nothingLeft(firstProcesses, directory.path);

    const second = runStart(variables);
    await second.ready();
    const api = /http:\/\/127\.0\.0\.1:\d+/.exec(curlLines(second.output())[0] ?? '')?.[0];
    const { id } = created as { id: number };
    expect(id).toBe(1_001);
    await changeAsAdministrator(curlLines(second.output())[4] ?? '');
    const kept = await fetch(`${api}/api/users/${id}`);
    expect(await kept.json()).toMatchObject({ id, name: 'Ada Lovelace' });
    const secondProcesses = processTree(processIdOf(second));
    expect(await second.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await nothingLeft(secondProcesses, directory.path);
  });

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

  it('refuses a second start on the same data, and the first goes on', async () => {
    await using directory = await temporaryDirectory();
    const first = runStart({ LOCAL_DIRECTORY: directory.path });
    await first.ready();

    const second = runStart({ LOCAL_DIRECTORY: directory.path });
    expect((await second.exited).code).toBe(1);
    expect(second.output()).toContain(`${directory.path} is already in use`);
    expect(await paste(curlLines(first.output())[0] ?? '')).toMatchObject({ id: 1 });

    expect((await first.stop()).code).toBe(0);
  });

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
      if (variables.LOCAL_DIRECTORY !== undefined) await nothingLeft([], variables.LOCAL_DIRECTORY);
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

    it('names a data folder that is corrupt, and the command that resets it', async () => {
      await using directory = await temporaryDirectory();
      const variables = { LOCAL_DIRECTORY: directory.path };
      const first = runStart(variables);
      await first.ready();
      await first.stop();
      await writeFile(join(directory.path, 'postgres/primary/PG_VERSION'), 'nonsense\n');

      await expectFailure(variables, /postgres[\s\S]*npm run reset/);
    });

    it.each([
      [{ PORT: 'http' }, /PORT got "http"; it takes a whole number from 0 to 65535/],
      [{ DATABASE_URL: 'mysql://localhost/x' }, /DATABASE_URL got "mysql:\/\/localhost\/x"/],
      [{ DATABASE_READER_URLS: 'postgres://a@b/c' }, /DATABASE_URL is not/],
      [{ SQS_ENDPOINT: 'http://127.0.0.1:1' }, /EMAIL_QUEUE_URL is not/],
    ] as const)('names a bad variable: %j', async (variables, message) => {
      await expectFailure(variables, message);
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
