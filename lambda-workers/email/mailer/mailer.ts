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
