import MailComposer from 'nodemailer/lib/mail-composer';
import { batched } from '../../../services/contracts/batching/batcher.ts';
import { traced } from '../../../services/contracts/tracing/trace-context.ts';

export interface Email {
  /** Unique, and the same in each attempt: it becomes the Message-ID. */
  readonly id: string;
  /** Without a name, which another person may have written. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface Message {
  /** The envelope address, whatever the headers say. */
  readonly receiver: string;
  /** Headers and body (RFC 5322 and MIME). */
  readonly content: Uint8Array;
}

/** Sends emails: to Amazon SES, or into a folder on a developer's machine. */
export interface Mailer {
  /** Makes the message for {@link send}. Most of the work, and free of side effects. */
  compose(email: Email): Promise<Message>;
  /**
   * @param signal - aborts the attempts, and its reason is the cause of the error; the email may have been accepted all the same. @default none
   * @returns SES's message id, or the name of the file.
   * @throws {@link MailerError} when it was not accepted.
   */
  send(message: Message, signal?: AbortSignal): Promise<string>;
}

/** An email was not accepted. */
export class MailerError extends Error {
  override readonly name = 'MailerError';
  /** Whether the same email may be accepted later, as after throttling. */
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
 * Composes `email`, with text and HTML as alternatives. nodemailer encodes addresses and subjects, so that a line break cannot add a header.
 *
 * @param sender - the From header, such as `Headroom <no-reply@example.com>`.
 */
export async function composeMessage(email: Email, sender: string): Promise<Message> {
  const composer = new MailComposer({
    from: sender,
    // An object, so that it is one address whatever it contains.
    to: { name: '', address: email.to },
    subject: email.subject,
    text: email.text,
    html: email.html,
    messageId: `<${email.id}@${domainOf(sender)}>`,
    // RFC 3834: prevents automatic replies.
    headers: { 'Auto-Submitted': 'auto-generated' },
    newline: 'windows',
  });
  return { receiver: email.to, content: await composer.compile().build() };
}

/**
 * A mailer whose sends are spans, without the recipient.
 *
 * @param transport - such as `ses`.
 */
export function createTracedMailer(mailer: Mailer, transport: string): Mailer {
  const options = { kind: 'client', attributes: { 'headroom.mailer': transport } } as const;
  return {
    compose: (email) => mailer.compose(email),
    send: (message, signal) => traced('send email', options, () => mailer.send(message, signal)),
  };
}

/**
 * A mailer that returns the messages of one tick when all of them are composed, so that they are sent together.
 *
 * Alternating between composing and sending uses more code than the CPU's caches hold: a batch takes 1.4 times as long. Cohort scheduling (Larus
 * and Parkes, USENIX 2002, https://www.usenix.org/legacy/publications/library/proceedings/usenix02/larus.html) runs each step for all items.
 */
export function sendInCohorts(mailer: Mailer): Mailer {
  return {
    compose: batched((emails: readonly Email[]) => composeAll(emails, mailer)),
    send: (message, signal) => mailer.send(message, signal),
  };
}

/** An email that cannot be composed fails alone. */
async function composeAll(
  emails: readonly Email[],
  mailer: Mailer,
): Promise<readonly (Message | Error)[]> {
  return await Promise.all(
    emails.map(async (email) => {
      try {
        return await mailer.compose(email);
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
    }),
  );
}
