/** An email to one person. */
export interface Email {
  /** Unique for what the email is about, and the same on a second try: it becomes the Message-ID. */
  readonly id: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Sends emails: to Amazon SES, or into a folder on a developer's machine. */
export interface Mailer {
  /**
   * @returns what the receiver calls the email: SES's message id, or the name of the file.
   * @throws {@link MailerError} when it was not accepted.
   */
  send(email: Email): Promise<string>;
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
