import { html } from 'hono/html';
import type { EmailChangeNotice } from '../email-changes.ts';
import type { Email } from '../mailer/mailer.ts';
import { composePage } from './page.ts';

const TITLE = 'Your email address was changed';

/**
 * What goes to the former address of an account: that it is the former one, so that whoever did not change it learns of it. The new one
 * is not named: whoever reads this mailbox by now need not be the person.
 */
export async function composeEmailChanged(notice: EmailChangeNotice, id: string): Promise<Email> {
  const happened =
    'your account has another email address now. Emails about it no longer come here.';
  const otherwise =
    'If you did not change it, somebody else can log in as you: tell whoever runs this service at once. An administrator can give the account back.';
  const content = html`<p>Hello, ${happened}</p>
      <p>${otherwise}</p>`;
  return {
    id,
    to: notice.formerEmail,
    subject: TITLE,
    text: `Hello,\n\n${happened}\n\n${otherwise}\n`,
    html: await composePage(TITLE, content),
  };
}
