/**
 * Something that stops the system on this machine from starting, told so that a developer can mend it:
 * `message` names what is wrong (with the port, path or variable), `remedy` says what to do about it.
 */
export class LocalFailure extends Error {
  override readonly name = 'LocalFailure';
  /** What to do about it, as a full sentence or a command. */
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}
