import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createFolderMailer } from '../../../../lambda-workers/email/mailer/folder.ts';
import {
  type Email,
  type Mailer,
  MailerError,
} from '../../../../lambda-workers/email/mailer/mailer.ts';

const email: Email = {
  id: 'an-id',
  to: 'zoe@example.com',
  subject: 'Grüße\r\nX-Added: by the subject',
  text: 'Line one\nLine två\n',
  html: '<p>Line två</p>',
};

async function send(mailer: Mailer): Promise<string> {
  return await mailer.send(await mailer.compose(email));
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headroom-folder-mailer-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
});

describe('The mailer into a folder', () => {
  it('writes an email that parses as it was sent', async () => {
    const name = await send(createFolderMailer(directory, 'Sender <from@sender.example>'));
    const source = readFileSync(join(directory, name));
    const parsed = await PostalMime.parse(source);
    expect(parsed).toMatchObject({
      from: { name: 'Sender', address: 'from@sender.example' },
      to: [{ name: '', address: email.to }],
      text: expect.stringMatching(/^Line one\r?\nLine två/),
      html: expect.stringContaining('<p>Line två</p>'),
      messageId: '<an-id@sender.example>',
    });
    expect(parsed.headers.map(({ key }) => key)).not.toContain('x-added');
    // Lines end with CR LF (RFC 5322, section 2.3).
    expect(source.toString('latin1')).not.toMatch(/[^\r]\n/);
  });

  it.each([
    ['from@sender.example', 'sender.example'],
    ['Of <two@domains.example> <from@sender.example> ', 'sender.example'],
    ['no address', 'localhost'],
  ])('names an email of %s by the domain %s', async (sender, domain) => {
    const { content } = await createFolderMailer(directory, sender).compose(email);
    expect(await PostalMime.parse(content)).toMatchObject({ messageId: `<an-id@${domain}>` });
  });

  it('creates the folder, and files that only this user may read', async () => {
    const inner = join(directory, 'not', 'there');
    const name = await send(createFolderMailer(inner, 'from@sender.example'));
    expect(name).toMatch(/\.eml$/);
    if (process.platform !== 'win32') {
      expect(statSync(join(inner, name)).mode & 0o777).toBe(0o600);
    }
  });

  it('keeps every email, and no partial one, when many are sent concurrently', async () => {
    const mailer = createFolderMailer(directory, 'from@sender.example');
    const names = await Promise.all(Array.from({ length: 50 }, () => send(mailer)));
    expect(readdirSync(directory).sort()).toEqual(names.sort());
    for (const name of names) {
      const { html } = await PostalMime.parse(readFileSync(join(directory, name)));
      expect(html).toContain('<p>Line två</p>');
    }
  });

  it('fails retryably when the folder is not writable, and names it', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const sending = send(createFolderMailer(join(file, 'mailbox'), 'from@sender.example'));
    await expect(sending).rejects.toThrow(MailerError);
    await expect(sending).rejects.toMatchObject({
      message: `The mailbox folder ${join(file, 'mailbox')} cannot be written to`,
      retryable: true,
      cause: { code: 'ENOTDIR' },
    });
  });
});
