import MailComposer from 'nodemailer/lib/mail-composer';
import type { Email } from './mailer.ts';

/** The domain of a sender such as `Name <user@domain>`, for Message-IDs. */
function domainOf(sender: string): string {
  return /@([^\s<>@]+)>?\s*$/.exec(sender)?.[1] ?? 'localhost';
}

/**
 * `email` in the format that travels (RFC 5322 and MIME), with text and HTML as alternatives. nodemailer encodes names
 * and subjects, so that a line break in a name cannot add a header.
 *
 * @param sender - the From header, such as `Headroom <no-reply@example.com>`.
 */
export async function composeMessage(email: Email, sender: string): Promise<Buffer> {
  const composer = new MailComposer({
    from: sender,
    to: email.to,
    subject: email.subject,
    text: email.text,
    html: email.html,
    messageId: `<${email.id}@${domainOf(sender)}>`,
    // RFC 3834: keeps holiday replies from answering.
    headers: { 'Auto-Submitted': 'auto-generated' },
    newline: 'windows',
  });
  return await composer.compile().build();
}
