/** The local system cannot start. `message` names the fault (with the port, path or variable), `remedy` says what to do about it. */
export class LocalFailure extends Error {
  override readonly name = 'LocalFailure';
  /** A full sentence or a command. */
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}
