import { html } from 'hono/html';
import type { Email } from '../mailer/mailer.ts';
import type { PasswordResetLink } from '../password-resets.ts';
import { composePage } from './page.ts';

const TITLE = 'Your new password';

const SECONDS_PER_MINUTE = 60;

/** The email with the link to a new password. */
export async function composePasswordReset(link: PasswordResetLink, id: string): Promise<Email> {
  const minutes = Math.floor(link.lifetimeSeconds / SECONDS_PER_MINUTE);
  const limits = `The link works once, for ${minutes} minutes.`;
  const otherwise =
    'If you did not ask for it, you can ignore this email: your password stays as it is.';
  const content = html`<p>Hello, somebody asked for a new password for your account.</p>
      <p><a href="${link.url}">Choose a new password</a></p>
      <p>${limits} It also ends all sessions and, unless you keep them, revokes your API keys.</p>
      <p>${otherwise}</p>`;
  return {
    id,
    to: link.email,
    subject: TITLE,
    text: `Hello,\n\nsomebody asked for a new password for your account. To choose one, open this link:\n\n${link.url}\n\n${limits} It also ends all sessions and, unless you keep them, revokes your API keys.\n\n${otherwise}\n`,
    html: await composePage(TITLE, content),
  };
}
