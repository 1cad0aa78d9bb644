import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base, describe, expect, onTestFinished } from 'vitest';
import { LocalFailure } from '../../../../services/local/local-failure.ts';
import { startMailbox } from '../../../../services/local/mailbox/mailbox.ts';

interface Started {
  readonly directory: string;
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** Puts an email into the folder, received so many seconds after 1970. */
  deliver(name: string, source: string, receivedAtSeconds?: number): void;
}

const it = base.extend<{ mailbox: Started }>({
  mailbox: async ({ task: _ }, use) => {
    const directory = mkdtempSync(join(tmpdir(), 'headroom-mailbox-'));
    const mailbox = await startMailbox({ directory, port: 0 });
    await use({
      directory,
      ...mailbox,
      deliver(name, source, receivedAtSeconds = 1_000) {
        const path = join(directory, name);
        writeFileSync(path, source.replaceAll('\n', '\r\n'));
        utimesSync(path, receivedAtSeconds, receivedAtSeconds);
      },
    });
    await mailbox.stop();
    rmSync(directory, { recursive: true, force: true });
  },
});

const ada = `From: Headroom <no-reply@headroom.example>
To: Ada <ada@example.com>
Subject: =?UTF-8?Q?Welcome_=C3=84da?=
X-Marked: yes
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Your account
is ready.
--b
Content-Type: text/html; charset=utf-8

<html><head><title>t</title></head><body><script>alert(1)</script><p>Ready</p></body></html>
--b--
`;
const plain =
  'From: a@example.com\nTo: b@example.com\nSubject: Plain & <b>simple</b>\n\nOnly text\n';

/** A request whose path and Host header go out as they are. */
async function ask(
  url: string,
  path: string,
  host?: string,
): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    request(
      { hostname, port, path, ...(host === undefined ? {} : { headers: { host } }) },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      },
    )
      .on('error', reject)
      .end();
  });
}

describe('The mailbox page', () => {
  it('says that there is no email when the folder is empty', async ({ mailbox }) => {
    const page = await (await fetch(mailbox.url)).text();
    expect(page).toContain('No email yet');
    expect(page).toContain('0 emails');
  });

  it('says so, too, when the folder is not there', async ({ mailbox }) => {
    rmSync(mailbox.directory, { recursive: true });
    expect(await (await fetch(mailbox.url)).text()).toContain('No email yet');
    // Waiting for email makes the folder, so that its first email is seen.
    const reader = (await fetch(`${mailbox.url}/events`)).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    mailbox.deliver('ada.eml', ada);
    expect(await (await fetch(mailbox.url)).text()).toContain('1 email');
  });

  it('lists the newest email first, with whatever is in it as text', async ({ mailbox }) => {
    mailbox.deliver('older.eml', ada, 1_000);
    mailbox.deliver('newer.eml', plain, 2_000);
    const page = await (await fetch(mailbox.url)).text();
    expect(page.indexOf('/messages/newer')).toBeGreaterThan(0);
    expect(page.indexOf('/messages/newer')).toBeLessThan(page.indexOf('/messages/older'));
    expect(page).toContain('Plain &amp; &lt;b&gt;simple&lt;/b&gt;');
    expect(page).not.toContain('<b>simple');
    expect(page).toContain('2 emails');
  });

  it('shows an email in a frame that may run nothing', async ({ mailbox }) => {
    mailbox.deliver('ada.eml', ada);
    const page = await (await fetch(`${mailbox.url}/messages/ada`)).text();
    expect(page).toMatch(/<iframe[^>]*src="\/messages\/ada\/html"/);
    const sandbox = /<iframe[^>]*sandbox="([^"]*)"/.exec(page)?.[1]?.split(' ');
    expect(sandbox).toEqual(['allow-popups', 'allow-popups-to-escape-sandbox']);
    expect(page).toContain('Welcome Äda');
    expect(page).not.toContain('alert(1)');

    const framed = await fetch(`${mailbox.url}/messages/ada/html`);
    const policy = framed.headers.get('content-security-policy')?.split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain('sandbox allow-popups allow-popups-to-escape-sandbox');
    expect(policy?.some((rule) => rule.startsWith('script-src'))).toBe(false);
    expect(await framed.text()).toContain('<head><base target="_blank"><title>');
  });

  it('shows the text and the headers of an email', async ({ mailbox }) => {
    mailbox.deliver('ada.eml', ada);
    const text = await (await fetch(`${mailbox.url}/messages/ada?view=text`)).text();
    expect(text).toContain('Your account\nis ready.');
    const headers = await (await fetch(`${mailbox.url}/messages/ada?view=headers`)).text();
    expect(headers).toContain('<dt>X-Marked</dt><dd>yes</dd>');
  });

  it('shows the text when there is no HTML, whatever is asked for', async ({ mailbox }) => {
    mailbox.deliver('plain.eml', plain);
    const page = await (await fetch(`${mailbox.url}/messages/plain?view=html`)).text();
    expect(page).toContain('Only text');
    expect(page).not.toContain('<iframe');
    expect((await fetch(`${mailbox.url}/messages/plain/html`)).status).toBe(404);
  });

  it('gives the source of an email as it is, for download', async ({ mailbox }) => {
    mailbox.deliver('ada.eml', ada);
    const response = await fetch(`${mailbox.url}/messages/ada/source`);
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="ada.eml"');
    expect(response.headers.get('content-type')).toBe('message/rfc822');
    expect(await response.text()).toBe(ada.replaceAll('\n', '\r\n'));
  });

  it('lets a browser load only what it serves itself, and keep nothing', async ({ mailbox }) => {
    const { headers } = await fetch(mailbox.url);
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('cache-control')).toBe('no-store');
    for (const asset of ['style.css', 'narrow.css', 'live.js', 'icon.svg']) {
      expect((await fetch(`${mailbox.url}/assets/${asset}`)).status).toBe(200);
    }
  });

  it('says that an email is not here, with status 404', async ({ mailbox }) => {
    const response = await fetch(`${mailbox.url}/messages/unknown`);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('This email is not here');
    expect((await fetch(`${mailbox.url}/messages/unknown/source`)).status).toBe(404);
  });

  it('notifies an open page when an email comes', async ({ mailbox }) => {
    const response = await fetch(`${mailbox.url}/events`);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const first = await reader?.read();
    expect(first?.value).toContain('event: changed');
    mailbox.deliver('ada.eml', ada);
    const second = await reader?.read();
    expect(second?.value).toContain('event: changed');
    await reader?.cancel();
  });
});

describe('The mailbox as JSON', () => {
  it('lists summaries, newest first', async ({ mailbox }) => {
    mailbox.deliver('older.eml', ada, 1_000);
    mailbox.deliver('newer.eml', plain, 2_000);
    expect(await (await fetch(`${mailbox.url}/api/messages`)).json()).toEqual({
      messages: [
        {
          id: 'newer',
          receivedAt: '1970-01-01T00:33:20.000Z',
          from: 'a@example.com',
          to: ['b@example.com'],
          subject: 'Plain & <b>simple</b>',
          preview: 'Only text',
          sizeBytes: plain.length + plain.split('\n').length - 1,
        },
        {
          id: 'older',
          receivedAt: '1970-01-01T00:16:40.000Z',
          from: 'Headroom <no-reply@headroom.example>',
          to: ['Ada <ada@example.com>'],
          subject: 'Welcome Äda',
          preview: 'Your account is ready.',
          sizeBytes: expect.any(Number),
        },
      ],
    });
  });

  it('gives one email with its parts and headers', async ({ mailbox }) => {
    mailbox.deliver('ada.eml', ada);
    expect(await (await fetch(`${mailbox.url}/api/messages/ada`)).json()).toMatchObject({
      id: 'ada',
      text: expect.stringContaining('Your account'),
      html: expect.stringContaining('<p>Ready</p>'),
      headers: expect.arrayContaining([{ name: 'X-Marked', value: 'yes' }]),
      attachments: [],
    });
  });

  it('follows a file that changes or goes', async ({ mailbox }) => {
    mailbox.deliver('one.eml', plain, 1_000);
    mailbox.deliver('two.eml', plain, 1_000);
    await fetch(`${mailbox.url}/api/messages`);
    mailbox.deliver('one.eml', plain.replace('Plain', 'Changed'), 2_000);
    rmSync(join(mailbox.directory, 'two.eml'));
    expect(await (await fetch(`${mailbox.url}/api/messages`)).json()).toMatchObject({
      messages: [{ id: 'one', subject: 'Changed & <b>simple</b>' }],
    });
  });

  it('answers an unknown id with a problem', async ({ mailbox }) => {
    const response = await fetch(`${mailbox.url}/api/messages/unknown`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });
});

describe('The mailbox, against what must not be', () => {
  it('leads to no file outside its folder, nor to one that is no email', async ({ mailbox }) => {
    writeFileSync(join(mailbox.directory, '..', 'headroom-outside.eml'), plain);
    onTestFinished(() => rmSync(join(mailbox.directory, '..', 'headroom-outside.eml')));
    mailbox.deliver('.hidden.eml', plain);
    mailbox.deliver('notes.txt', plain);
    for (const id of [
      '..%2fheadroom-outside',
      '..%5cheadroom-outside',
      '%2e%2e%2fheadroom-outside',
      '..%252fheadroom-outside',
      '../headroom-outside',
      '.hidden',
      'notes.txt',
      'notes.txt%00',
      '%2fetc%2fpasswd',
    ]) {
      for (const path of [`/messages/${id}/source`, `/api/messages/${id}`, `/messages/${id}`]) {
        const { status, body } = await ask(mailbox.url, path);
        expect([path, status]).toEqual([path, 404]);
        expect(body).not.toContain('Only text');
      }
    }
    expect(await (await fetch(`${mailbox.url}/api/messages`)).json()).toEqual({ messages: [] });
  });

  it('answers only who asks for this machine by name, so that no other site can read it', async ({
    mailbox,
  }) => {
    const { port } = new URL(mailbox.url);
    expect((await ask(mailbox.url, '/api/messages', `localhost:${port}`)).status).toBe(200);
    expect((await ask(mailbox.url, '/api/messages', 'attacker.example')).status).toBe(421);
    const { body, status } = await ask(mailbox.url, '/', `127.0.0.1.attacker.example:${port}`);
    expect(JSON.parse(body)).toMatchObject({ status: 421, detail: expect.stringContaining('ask') });
    expect(status).toBe(421);
  });

  it('names the port that is taken, and the variable to change', async ({ mailbox }) => {
    const { port } = new URL(mailbox.url);
    const starting = startMailbox({ directory: mailbox.directory, port: Number(port) });
    await expect(starting).rejects.toBeInstanceOf(LocalFailure);
    await expect(starting).rejects.toThrow(
      `Port ${port}, which the mailbox page is to listen on (MAILBOX_PORT)`,
    );
    await expect(starting).rejects.toMatchObject({
      remedy: expect.stringContaining('MAILBOX_PORT'),
    });
  });

  it('refuses to listen where others reach it', async ({ mailbox }) => {
    const host: string = '0.0.0.0';
    const starting = startMailbox({
      directory: mailbox.directory,
      port: 0,
      host: host as '127.0.0.1',
    });
    await expect(starting).rejects.toBeInstanceOf(LocalFailure);
  });

  it('stops while a page is open, and may be stopped twice', async ({ mailbox }) => {
    const response = await fetch(`${mailbox.url}/events`);
    const ended = response.text().then(
      () => 'ended',
      () => 'cut',
    );
    await mailbox.stop();
    await mailbox.stop();
    expect(['ended', 'cut']).toContain(await ended);
    await expect(fetch(mailbox.url)).rejects.toThrow();
  });
});
