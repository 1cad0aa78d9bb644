import { html } from 'hono/html';
import type { EmailChangeNotice } from '../email-changes.ts';
import type { Email } from '../mailer/mailer.ts';
import { oneLine } from './one-line.ts';

/**
 * What goes to the former address of an account: that it is the former one, so that whoever did not change it learns of it. The new one
 * is not named: whoever reads this mailbox by now need not be the person. hono's `html` escapes what is put into it.
 */
export async function composeEmailChanged(notice: EmailChangeNotice, id: string): Promise<Email> {
  const name = oneLine(notice.name);
  const happened =
    'your account has another email address now. Emails about it no longer come here.';
  const otherwise =
    'If you did not change it, somebody else can log in as you: tell whoever runs this service at once. An administrator can give the account back.';
  const page = await html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="color-scheme" content="light dark">
    <title>Your email address was changed</title>
  </head>
  <body style="margin: 0; font-family: system-ui, sans-serif; line-height: 1.5">
    <main style="max-width: 36em; margin: 0 auto; padding: 2em 1em">
      <h1 style="font-size: 1.5em">Your email address was changed</h1>
      <p>Hello ${name}, ${happened}</p>
      <p>${otherwise}</p>
    </main>
  </body>
</html>
`;
  return {
    id,
    to: { name, address: notice.formerEmail },
    subject: 'Your email address was changed',
    text: `Hello ${name},\n\n${happened}\n\n${otherwise}\n`,
    html: String(page),
  };
}
