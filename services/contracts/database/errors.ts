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

/** The server has become a reader, or is shutting down: new connections must resolve the name again. */
export const FAILOVER_STATES: ReadonlySet<string> = new Set(['25006', '57P01']);

/** SQLSTATEs with which the server ends a connection, possibly between a commit and its response. */
export const CONNECTION_ENDED_STATES: ReadonlySet<string> = new Set([
  '57P01',
  '57P02',
  '57P05',
  '08000',
  '08003',
  '08006',
]);

const LOST_CONNECTION_CODES: ReadonlySet<string> = new Set([
  ...FAILOVER_STATES,
  ...CONNECTION_ENDED_STATES,
  // The server is starting.
  '57P03',
  // Of postgres.js, and of sockets.
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECTION_ENDED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
]);

/** Whether a statement failed because its connection is lost, so that it may succeed on a new one. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof DatabaseTimeout) return true;
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    LOST_CONNECTION_CODES.has(error.code)
  );
}
