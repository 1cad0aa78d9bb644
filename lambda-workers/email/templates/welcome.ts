import { html } from 'hono/html';
import type { Email } from '../mailer/mailer.ts';
import { oneLine } from './one-line.ts';
import { composePage } from './page.ts';

/** The email that welcomes a new user. */
export async function composeWelcome(
  user: { readonly name: string; readonly email: string },
  id: string,
): Promise<Email> {
  const name = oneLine(user.name);
  const content = html`<p>Your account is ready.</p>
      <p>If you did not create it, you can ignore this email.</p>`;
  return {
    id,
    to: { name, address: user.email },
    subject: `Welcome, ${name}`,
    text: `Welcome, ${name}\n\nYour account is ready.\n\nIf you did not create it, you can ignore this email.\n`,
    html: await composePage('Welcome', { heading: `Welcome, ${name}`, content }),
  };
}
