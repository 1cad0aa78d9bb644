import { chmod, lstat, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { describe, expect, it } from 'vitest';
import { findSystem } from '../../services/local/system/system-file.ts';
import {
  curlLines,
  expectRefusal,
  nothingLeft,
  paste,
  processIdOf,
  processTree,
  runStart,
  temporaryDirectory,
  until,
} from './start-command.ts';

/** Set in real shells; each has stopped, or changed, a program that took the shell's environment as it was. */
const HOSTILE_SHELL = {
  AWS_ACCESS_KEY_ID: 'a-real-key',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  AWS_PROFILE: 'a-profile-that-is-not-there',
  AWS_USE_DUALSTACK_ENDPOINT: 'true',
  AWS_USE_FIPS_ENDPOINT: 'true',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  HTTP_PROXY: 'http://127.0.0.1:9',
  LC_ALL: 'tr_TR.UTF-8',
  NODE_USE_ENV_PROXY: '1',
  NO_PROXY: 'intranet.example',
  PGHOST: '192.0.2.1',
  PGOPTIONS: '--default_transaction_read_only=on',
  PGPASSWORD: 'not-the-password',
  PGSSL: 'true',
  PGSSLMODE: 'verify-full',
  PGTARGETSESSIONATTRS: 'read-only',
};

/** A home whose AWS profile has switches that the SDK reads, too. */
async function hostileHome(directory: string): Promise<string> {
  const home = join(directory, 'home');
  await mkdir(join(home, '.aws'), { recursive: true });
  const profile = '[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n';
  await writeFile(join(home, '.aws/config'), profile);
  return home;
}

const NEW_PASSWORD = 'a pass phrase out of a letter';
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
    // Whole: the preview cuts it off.
    link = /http:[^\s"\\<]+#token=[\w-]{40,}/.exec(text)?.[0] ?? '';
    return link !== '';
  });
  expect((await fetch(link)).headers.get('content-type')).toContain('text/html');
  const token = link.split('#token=')[1];
  const confirmed = await send('POST', `${api}/password-resets/confirm`, {
    token,
    newPassword: NEW_PASSWORD,
  });
  expect(confirmed.status, await confirmed.text()).toBe(204);
  const again = await send('POST', `${api}/password-resets/confirm`, {
    token,
    newPassword: NEW_PASSWORD,
  });
  expect(again.status).toBe(400);
  const login = await send('POST', `${api}/login`, { email, password: NEW_PASSWORD });
  expect(login.status).toBe(200);
}

/** Has every statement of PostgreSQL logged from now on, as if all were slow, in later starts, too. */
async function logEveryStatement(directory: string, screen: string): Promise<void> {
  const passwords = await readFile(join(directory, 'postgres/passwords.json'), 'utf8');
  const url = new URL(/postgres:\/\/\S+/.exec(screen)?.[0] ?? '');
  url.username = 'postgres';
  url.password = JSON.parse(passwords).administrator;
  const sql = postgres(url.href, { max: 1 });
  await sql`alter system set log_min_duration_statement = 0`;
  await sql`select pg_reload_conf()`;
  await sql.end();
}

/** All logs, of this start and the one before, as one text. */
async function readLogs(directory: string): Promise<string> {
  const files = await readdir(directory, { recursive: true });
  const logs = files.filter((file) => /\.log(\.previous)?$/.test(file));
  expect(logs).toEqual(expect.arrayContaining(['logs/user-api.log', 'postgres/primary.log']));
  return (await Promise.all(logs.map((file) => readFile(join(directory, file), 'utf8')))).join('');
}

/** Files and folders that others than their owner may do anything with, but pass through to PostgreSQL's data. */
async function openToOthers(directory: string): Promise<readonly string[]> {
  const passable = ['.', 'postgres'];
  const found = ['.', ...(await readdir(directory, { recursive: true }))].map(async (path) => {
    // Some are there for a moment only.
    const mode = (await lstat(join(directory, path)).catch(() => undefined))?.mode ?? 0;
    const others = mode & 0o077 & (passable.includes(path) ? ~0o011 : ~0);
    return others === 0 ? [] : [`${path} ${(mode & 0o777).toString(8)}`];
  });
  return (await Promise.all(found)).flat();
}

describe('npm start', () => {
  it('starts the whole system whatever the shell has set, keeps its data between runs, and leaves nothing running', async () => {
    await using directory = await temporaryDirectory();
    const local = join(directory.path, 'local');
    const home = await hostileHome(directory.path);
    const variables = { ...HOSTILE_SHELL, HOME: home, LOCAL_DIRECTORY: local };

    const first = runStart(variables);
    await first.ready();
    // The data survives a power failure from here on.
    expect(await readFile(join(local, 'postgres/initdb-sync.log'), 'utf8')).toContain('ok');
    await logEveryStatement(local, first.output());
    const [getUser, listUsers, createUser, listMessages, login] = curlLines(first.output());
    expect(await paste(getUser ?? '')).toMatchObject({ id: 1, version: 1 });
    expect(await paste(listUsers ?? '')).toMatchObject({ data: [{}, {}, {}] });
    const created = await paste(createUser ?? '');
    expect(created).toMatchObject({ name: 'Ada Lovelace', status: 'active' });
    // End to end: the row, the outbox, SQS, the event source, the handler, the mailbox.
    const { email } = created as { email: string };
    expect(await paste(createUser ?? '')).toMatchObject({ status: 409 });
    await until('the welcome has arrived', 30_000, async () =>
      JSON.stringify(await paste(listMessages ?? '')).includes(email),
    );

    await changeAsAdministrator(login ?? '');
    await resetPassword(email, createUser ?? '', listMessages ?? '');
    for (const file of ['secrets/secrets.json', 'system.json']) {
      const { mode } = await stat(join(local, file));
      expect(mode & 0o777, file).toBe(0o600);
    }
    const running = findSystem(local);
    expect(running).toMatchObject({ apiUrl: originOf(getUser ?? ''), processId: first.child.pid });
    const metrics = await fetch(running?.metricsUrl ?? '');
    expect(await metrics.text()).toContain('cache_reads_total');

    const firstProcesses = processTree(processIdOf(first));
    expect(firstProcesses.filter(({ command }) => /postgres/.test(command)).length).toBeGreaterThan(
      2,
    );
    expect(await first.stop('SIGINT')).toEqual({ code: 0, signal: null });
    await nothingLeft(firstProcesses, directory.path);
    expect(await readdir(local)).not.toContain('system.json');

    expect(await openToOthers(local)).toEqual([]);
    // As a start before folders were closed had left them.
    for (const folder of ['postgres', 'mailbox', 'logs']) await chmod(join(local, folder), 0o755);
    // As npm does: the shell waits for the program, and dies of the signal by itself.
    const second = runStart(
      { ...variables, RATE_LIMITS: 'updates=7/60', npm_lifecycle_event: 'start' },
      { command: ['sh', '-c', `"${process.execPath}" bin/run.mjs start --high-limits; exit $?`] },
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
    await second.stop('SIGTERM');
    await nothingLeft(secondProcesses, directory.path);
    expect(second.output()).toContain('Stopping (npm has ended).');
    expect(await openToOthers(local)).toEqual([]);

    const logs = await readLogs(local);
    expect(logs).toMatch(/duration: \d/);
    expect(logs).toMatch(/insert into "?users/i);
    expect(logs).toMatch(/alter role .* password 'SCRAM-SHA-256\$/i);
    for (const value of [email, 'Ada Lovelace', NEW_PASSWORD, '$argon2']) {
      expect(logs).not.toContain(value);
    }
    expect(logs).not.toMatch(/password '(?!SCRAM-SHA-256\$)/i);

    await writeFile(join(local, 'postgres/primary/PG_VERSION'), 'nonsense\n');
    await expectRefusal(variables, /postgres[\s\S]*npm run reset/);
  });
});
