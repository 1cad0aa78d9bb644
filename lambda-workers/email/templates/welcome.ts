import { html } from 'hono/html';
import type { Email } from '../mailer/mailer.ts';
import { oneLine } from './one-line.ts';

/**
 * The email that welcomes a new user. hono's `html` escapes what is put into it, so that a name is shown and never
 * becomes markup.
 */
export async function composeWelcome(
  user: { readonly name: string; readonly email: string },
  id: string,
): Promise<Email> {
  const name = oneLine(user.name);
  const page = await html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="color-scheme" content="light dark">
    <title>Welcome</title>
  </head>
  <body style="margin: 0; font-family: system-ui, sans-serif; line-height: 1.5">
    <main style="max-width: 36em; margin: 0 auto; padding: 2em 1em">
      <h1 style="font-size: 1.5em">Welcome, ${name}</h1>
      <p>Your account is ready.</p>
      <p>If you did not create it, you can ignore this email.</p>
    </main>
  </body>
</html>
`;
  return {
    id,
    to: { name, address: user.email },
    subject: `Welcome, ${name}`,
    text: `Welcome, ${name}\n\nYour account is ready.\n\nIf you did not create it, you can ignore this email.\n`,
    html: String(page),
  };
}
