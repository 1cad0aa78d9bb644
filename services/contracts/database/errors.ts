/** No response came within the deadline, which is longer than the server lets a statement run: the connection is dead without having been closed. */
export class DatabaseTimeout extends Error {
  override readonly name = 'DatabaseTimeout';
  /** Whether the statement was sent; if not, it never will be. */
  readonly wasSent: boolean;

  constructor(message: string, wasSent: boolean) {
    super(message);
    this.wasSent = wasSent;
  }
}
