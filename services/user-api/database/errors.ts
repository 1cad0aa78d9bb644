import postgres from 'postgres';
import { NoPlace } from '../../contracts/concurrency/concurrency-limiter.ts';

/** What is known of a change that failed. */
export type Outcome = 'not applied' | 'unknown';

/** The database could not do it now; the same may succeed later. */
export class DatabaseUnavailable extends Error {
  override readonly name: string = 'DatabaseUnavailable';
  /** `unknown`: the change may have been applied, or may still be. */
  readonly outcome: Outcome;

  constructor(message: string, options: ErrorOptions & { readonly outcome: Outcome }) {
    super(message, options);
    this.outcome = options.outcome;
  }
}

/** Too many statements wait for a connection. This one was not sent and never will be. */
export class DatabaseBusy extends DatabaseUnavailable {
  override readonly name = 'DatabaseBusy';
}

/** No response came within the deadline, which is longer than the server lets a statement run. */
export class DatabaseSilent extends Error {
  override readonly name = 'DatabaseSilent';
  /** Whether the statement was sent; if not, it never will be. */
  readonly wasSent: boolean;

  constructor(message: string, wasSent: boolean) {
    super(message);
    this.wasSent = wasSent;
  }
}

/** There was no connection to send the statement on, and it will not be sent. The cause says why. */
export class StatementNotSent extends Error {
  override readonly name = 'StatementNotSent';
}

/** The five characters that PostgreSQL gives with an error (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
export function sqlState(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError ? error.code : undefined;
}

/**
 * Classes of SQLSTATE that are about the server or the connection, not about the statement: connection exception, invalid
 * authorization (a password or token that has been rotated), invalid catalog name, insufficient resources (53300 is too
 * many connections), operator intervention (shutdown, crash, starting up, and a statement that ran too long), system error.
 */
const SERVER_CLASSES = new Set(['08', '28', '3D', '53', '57', '58']);
/** A write that met a server which has become a reader, and a lock that was not to be had in time. */
const SERVER_CODES = new Set(['25006', '55P03', '40001', '40P01']);
/** Errors of postgres.js about how it is called: ours to mend, whatever the server does. */
const MISUSE_CODES = new Set([
  'UNDEFINED_VALUE',
  'NOT_TAGGED_CALL',
  'MAX_PARAMETERS_EXCEEDED',
  'UNSAFE_TRANSACTION',
  'COPY_IN_PROGRESS',
]);

/** Whether `error` says that the server or the way to it is at fault, not the statement. */
export function isServerFault(error: unknown): boolean {
  if (error instanceof DatabaseSilent || error instanceof StatementNotSent) return true;
  if (error instanceof NoPlace) return true;
  const state = sqlState(error);
  if (state !== undefined) return SERVER_CODES.has(state) || SERVER_CLASSES.has(state.slice(0, 2));
  // Errors of sockets, of TLS and of postgres.js' connections all have a code in words.
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    !MISUSE_CODES.has(error.code)
  );
}

/**
 * SQLSTATEs that a server sends when it ends a connection. It may do so between the commit and the response to it, so that only these leave the
 * outcome of a statement unknown: any other error of the server has undone it.
 */
const CONNECTION_ENDED_CODES = new Set(['57P01', '57P02', '57P05', '08000', '08003', '08006']);

/** What a failed statement has left behind. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof DatabaseSilent) return error.wasSent ? 'unknown' : 'not applied';
  if (error instanceof StatementNotSent || error instanceof NoPlace) return 'not applied';
  const state = sqlState(error);
  return state === undefined || CONNECTION_ENDED_CODES.has(state) ? 'unknown' : 'not applied';
}

/** The statement ran longer than the server allows: slow everywhere, so another server is not asked. */
const STATEMENT_TIMEOUT = '57014';
/** A replica cancelled the statement because it stood in the way of replaying the writer's log. */
const RECOVERY_CONFLICT = '40001';

/** What a failed read says of the server that it was sent to. */
export type ReadFailure = 'server' | 'try another' | 'statement';

export function classifyReadFailure(error: unknown): ReadFailure {
  const state = sqlState(error);
  if (state === STATEMENT_TIMEOUT) return 'statement';
  if (state === RECOVERY_CONFLICT || error instanceof NoPlace) return 'try another';
  return isServerFault(error) ? 'server' : 'statement';
}

/** The server is shutting down, or has become a reader: the name must be resolved again, by new connections. */
const FAILOVER_CODES = new Set(['25006', '57P01']);

export function isFailover(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && FAILOVER_CODES.has(state);
}

const CHECK_VIOLATION = '23514';

/** Whether `error` says that the change would break this check; triggers name theirs as constraints do. */
export function isViolationOf(error: unknown, constraint: string): boolean {
  return (
    error instanceof postgres.PostgresError &&
    error.code === CHECK_VIOLATION &&
    error.constraint_name === constraint
  );
}

const UNIQUE_VIOLATION = '23505';

/** Whether `error` says that a value is in this unique index already. */
export function isDuplicateOf(error: unknown, index: string): boolean {
  return (
    error instanceof postgres.PostgresError &&
    error.code === UNIQUE_VIOLATION &&
    error.constraint_name === index
  );
}
