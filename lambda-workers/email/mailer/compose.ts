import MailComposer from 'nodemailer/lib/mail-composer';
import type { Email, Message } from './mailer.ts';

/** The domain of a sender such as `Name <user@domain>`, for Message-IDs. */
function domainOf(sender: string): string {
  return /@([^\s<>@]+)>?\s*$/.exec(sender)?.[1] ?? 'localhost';
}

/**
 * `email` as it travels, with text and HTML as alternatives. nodemailer encodes
 * addresses and subjects, so that a line break cannot add a header.
 *
 * @param sender - the From header, such as `Headroom <no-reply@example.com>`.
 */
export async function composeMessage(email: Email, sender: string): Promise<Message> {
  const composer = new MailComposer({
    from: sender,
    // As an object, so that it is one address whatever is in it.
    to: { name: '', address: email.to },
    subject: email.subject,
    text: email.text,
    html: email.html,
    messageId: `<${email.id}@${domainOf(sender)}>`,
    // RFC 3834: keeps holiday replies from answering.
    headers: { 'Auto-Submitted': 'auto-generated' },
    newline: 'windows',
  });
  return { receiver: email.to, content: await composer.compile().build() };
}
