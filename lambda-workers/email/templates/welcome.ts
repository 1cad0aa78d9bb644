import { html } from 'hono/html';
import type { Email } from '../mailer/mailer.ts';
import { composePage } from './page.ts';

/**
 * The email that welcomes a new user. The same for everybody: the address has not been verified, so its author could otherwise have us
 * send a text of their own to anybody. For the same reason no email here has the name of the account in it.
 */
export async function composeWelcome(user: { readonly email: string }, id: string): Promise<Email> {
  const content = html`<p>Your account is ready.</p>
      <p>If you did not create it, you can ignore this email.</p>`;
  return {
    id,
    to: user.email,
    subject: 'Welcome',
    text: 'Welcome\n\nYour account is ready.\n\nIf you did not create it, you can ignore this email.\n',
    html: await composePage('Welcome', content),
  };
}
