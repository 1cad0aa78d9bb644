import { html } from 'hono/html';
import type { ApiKeyNotice, EmailChangeNotice, Recipient } from './lookups.ts';
import type { Email } from './mailer/mailer.ts';
import type { PasswordResetLink } from './password-resets.ts';

/*
 * The emails. None has the name of the account in it: addresses are not verified, so that the author of a name could have us send a text of
 * their own to anybody.
 */

export async function composeWelcome(user: Recipient, id: string): Promise<Email> {
  return {
    id,
    to: user.email,
    subject: 'Welcome',
    text: 'Welcome\n\nYour account is ready.\n\nIf you did not create it, you can ignore this email.\n',
    html: await composePage(
      'Welcome',
      html`<p>Your account is ready.</p>
      <p>If you did not create it, you can ignore this email.</p>`,
    ),
  };
}

const SECONDS_PER_MINUTE = 60;

export async function composePasswordReset(link: PasswordResetLink, id: string): Promise<Email> {
  const title = 'Your new password';
  const minutes = Math.floor(link.lifetimeSeconds / SECONDS_PER_MINUTE);
  const limits = `The link works once, for ${minutes} minutes.`;
  const otherwise =
    'If you did not ask for it, you can ignore this email: your password stays as it is.';
  return {
    id,
    to: link.email,
    subject: title,
    text: `Hello,\n\nsomebody asked for a new password for your account. To choose one, open this link:\n\n${link.url}\n\n${limits} It also ends all sessions and, unless you keep them, revokes your API keys.\n\n${otherwise}\n`,
    html: await composePage(
      title,
      html`<p>Hello, somebody asked for a new password for your account.</p>
      <p><a href="${link.url}">Choose a new password</a></p>
      <p>${limits} It also ends all sessions and, unless you keep them, revokes your API keys.</p>
      <p>${otherwise}</p>`,
    ),
  };
}

/** To the former address. The new one is not named: another person may read the former mailbox by now. */
export function composeEmailChanged(notice: EmailChangeNotice, id: string): Promise<Email> {
  return composeNotice({
    id,
    to: notice.formerEmail,
    subject: 'Your email address was changed',
    happened: 'your account has another email address now. Emails about it no longer come here.',
    otherwise:
      'If you did not change it, somebody else can log in as you: contact the operator of this service at once. An administrator can restore the account.',
  });
}

/** To the owner of a new API key, who may not have created it. */
export function composeApiKeyCreated(notice: ApiKeyNotice, id: string): Promise<Email> {
  const scopes =
    notice.scopes.length === 0 ? 'no scopes' : `the scopes ${notice.scopes.join(', ')}`;
  return composeNotice({
    id,
    to: notice.email,
    subject: 'A new API key for your account',
    happened: `your account has a new API key. It begins with ${notice.prefix}, has ${scopes}, and is valid until ${notice.expiresOn}.`,
    otherwise:
      'If you did not create it, somebody else can act as you: log out everywhere, which also revokes your API keys, and change your password.',
  });
}

interface Notice extends Pick<Email, 'id' | 'to' | 'subject'> {
  readonly happened: string;
  readonly otherwise: string;
}

async function composeNotice({ happened, otherwise, ...email }: Notice): Promise<Email> {
  return {
    ...email,
    text: `Hello,\n\n${happened}\n\n${otherwise}\n`,
    html: await composePage(
      email.subject,
      html`<p>Hello, ${happened}</p>
      <p>${otherwise}</p>`,
    ),
  };
}

/** The HTML part of an email. hono's `html` escapes its values. */
async function composePage(title: string, content: ReturnType<typeof html>): Promise<string> {
  const page = await html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="color-scheme" content="light dark">
    <title>${title}</title>
  </head>
  <body style="margin: 0; font-family: system-ui, sans-serif; line-height: 1.5">
    <main style="max-width: 36em; margin: 0 auto; padding: 2em 1em">
      <h1 style="font-size: 1.5em">${title}</h1>
      ${content}
    </main>
  </body>
</html>
`;
  return String(page);
}
