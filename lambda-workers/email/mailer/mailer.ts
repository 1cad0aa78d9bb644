import MailComposer from 'nodemailer/lib/mail-composer';
import { traced } from '../../../services/contracts/tracing/trace-context.ts';

/** An email to one person. */
export interface Email {
  /** Unique for what the email is about, and the same on a second try: it becomes the Message-ID. */
  readonly id: string;
  /** The address alone: a name in a header is a text that somebody else may have chosen. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** An email as it travels. */
export interface Message {
  /** The address that it goes to, whatever its headers say. */
  readonly receiver: string;
  /** Headers and body (RFC 5322 and MIME). */
  readonly content: Uint8Array;
}

/** Sends emails: to Amazon SES, or into a folder on a developer's machine. */
export interface Mailer {
  /** Makes what {@link send} takes; most of the work, and with no effect: it may be done in vain. */
  compose(email: Email): Promise<Message>;
  /**
   * @param signal - ends the tries, and its reason is the cause of the error; what has been sent by then may have been accepted all the same. @default none
   * @returns what the receiver calls the email: SES's message id, or the name of the file.
   * @throws {@link MailerError} when it was not accepted.
   */
  send(message: Message, signal?: AbortSignal): Promise<string>;
}

/** An email was not accepted. */
export class MailerError extends Error {
  override readonly name = 'MailerError';
  /** Whether the same email may be accepted later, as after throttling; otherwise somebody has to mend something. */
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.retryable = retryable;
  }
}

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

/**
 * A mailer whose sends are spans. They say how an email went, not to whom.
 *
 * @param transport - what sends it, such as `ses`.
 */
export function createTracedMailer(mailer: Mailer, transport: string): Mailer {
  const options = { kind: 'client', attributes: { 'headroom.mailer': transport } } as const;
  return {
    compose: (email) => mailer.compose(email),
    send: (message, signal) => traced('send email', options, () => mailer.send(message, signal)),
  };
}
