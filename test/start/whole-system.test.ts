import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findSystem } from '../../services/local/system/system-file.ts';
import {
  curlLines,
  nothingLeft,
  paste,
  processIdOf,
  processTree,
  runStart,
  temporaryDirectory,
  until,
} from './start-command.ts';

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
    for (const file of ['secrets/secrets.json', 'system.json']) {
      const { mode } = await stat(join(directory.path, file));
      expect(mode & 0o777, file).toBe(0o600);
    }
    const running = findSystem(directory.path);
    expect(running).toMatchObject({ apiUrl: originOf(getUser ?? ''), processId: first.child.pid });
    const metrics = await fetch(running?.metricsUrl ?? '');
    expect(await metrics.text()).toContain('cache_reads_total');

    const firstProcesses = processTree(processIdOf(first));
    expect(firstProcesses.filter(({ command }) => /postgres/.test(command)).length).toBeGreaterThan(
      2,
    );
    expect(await first.stop('SIGINT')).toEqual({ code: 0, signal: null });
    await nothingLeft(firstProcesses, directory.path);
    expect(await readdir(directory.path)).not.toContain('system.json');

    const second = runStart(
      { ...variables, RATE_LIMITS: 'updates=7/60' },
      { arguments: ['--high-limits'] },
    );
    await second.ready();
    const api = /http:\/\/127\.0\.0\.1:\d+/.exec(curlLines(second.output())[0] ?? '')?.[0];
    const { id } = created as { id: number };
    expect(id).toBe(1_001);
    await changeAsAdministrator(curlLines(second.output())[4] ?? '');
    const kept = await fetch(`${api}/api/users/${id}`);
    expect(await kept.json()).toMatchObject({ id, name: 'Ada Lovelace' });
    expect(kept.headers.get('ratelimit-policy')).toContain('q=10000000;w=1');
    const changed = await send('PATCH', `${api}/api/users/${id}`, {});
    expect(changed.headers.get('ratelimit-policy')).toContain('q=7;w=60');
    const secondProcesses = processTree(processIdOf(second));
    expect(await second.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    await nothingLeft(secondProcesses, directory.path);
  });
});
