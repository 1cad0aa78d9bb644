import { html } from 'hono/html';
import type { Email } from '../mailer/mailer.ts';
import type { PasswordResetLink } from '../password-resets.ts';
import { oneLine } from './one-line.ts';

const SECONDS_PER_MINUTE = 60;

/** The email with the link to a new password. hono's `html` escapes what is put into it. */
export async function composePasswordReset(link: PasswordResetLink, id: string): Promise<Email> {
  const name = oneLine(link.name);
  const minutes = Math.floor(link.lifetimeSeconds / SECONDS_PER_MINUTE);
  const limits = `The link works once, for ${minutes} minutes.`;
  const otherwise =
    'If you did not ask for it, you can ignore this email: your password stays as it is.';
  const page = await html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="color-scheme" content="light dark">
    <title>Your new password</title>
  </head>
  <body style="margin: 0; font-family: system-ui, sans-serif; line-height: 1.5">
    <main style="max-width: 36em; margin: 0 auto; padding: 2em 1em">
      <h1 style="font-size: 1.5em">Your new password</h1>
      <p>Hello ${name}, somebody asked for a new password for your account.</p>
      <p><a href="${link.url}">Choose a new password</a></p>
      <p>${limits} It also ends all sessions.</p>
      <p>${otherwise}</p>
    </main>
  </body>
</html>
`;
  return {
    id,
    to: { name, address: link.email },
    subject: 'Your new password',
    text: `Hello ${name},\n\nsomebody asked for a new password for your account. To choose one, open this link:\n\n${link.url}\n\n${limits} It also ends all sessions.\n\n${otherwise}\n`,
    html: String(page),
  };
}
