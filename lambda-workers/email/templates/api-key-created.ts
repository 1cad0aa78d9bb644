import { html } from 'hono/html';
import type { ApiKeyNotice } from '../api-key-notices.ts';
import type { Email } from '../mailer/mailer.ts';
import { composePage } from './page.ts';

const TITLE = 'A new API key for your account';

/** What the owner of an account gets when it has a new API key, so that a key made by somebody else is noticed. */
export async function composeApiKeyCreated(notice: ApiKeyNotice, id: string): Promise<Email> {
  const scopes =
    notice.scopes.length === 0 ? 'no scopes' : `the scopes ${notice.scopes.join(', ')}`;
  const happened = `your account has a new API key. It begins with ${notice.prefix}, has ${scopes}, and is valid until ${notice.expiresOn}.`;
  const otherwise =
    'If you did not create it, somebody else can act as you: log out everywhere, which also revokes your API keys, and change your password.';
  const content = html`<p>Hello, ${happened}</p>
      <p>${otherwise}</p>`;
  return {
    id,
    to: notice.email,
    subject: TITLE,
    text: `Hello,\n\n${happened}\n\n${otherwise}\n`,
    html: await composePage(TITLE, content),
  };
}
