import postgres from 'postgres';
import { NoSlot } from '../../contracts/concurrency/concurrency-limiter.ts';
import {
  CONNECTION_ENDED_STATES,
  DatabaseTimeout,
  FAILOVER_STATES,
} from '../../contracts/database/errors.ts';

/** What is known of a change that failed. */
export type Outcome = 'not applied' | 'unknown';

/** The database is not available now; the same may succeed later. */
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

/** There was no connection for the statement, and it will not be sent. The cause says why. */
export class StatementNotSent extends Error {
  override readonly name = 'StatementNotSent';
}

/** The SQLSTATE of an error of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
export function sqlState(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError ? error.code : undefined;
}

/**
 * Classes of SQLSTATE that are about the server or the connection, not about the statement: connection exception, invalid
 * authorization (a password or token that has been rotated), invalid catalog name, insufficient resources (53300 is too
 * many connections), operator intervention (shutdown, crash, starting up, and a statement that ran too long), system error.
 */
const SERVER_CLASSES = new Set(['08', '28', '3D', '53', '57', '58']);
/** A write on a server that has become a reader; a lock that was not granted in time; a serialization failure; a deadlock. */
const SERVER_CODES = new Set(['25006', '55P03', '40001', '40P01']);
/** Errors of postgres.js about how it is called: defects of ours. */
const MISUSE_CODES = new Set([
  'UNDEFINED_VALUE',
  'NOT_TAGGED_CALL',
  'MAX_PARAMETERS_EXCEEDED',
  'UNSAFE_TRANSACTION',
  'COPY_IN_PROGRESS',
]);

/** Whether the server or the connection is at fault, not the statement. */
export function isServerFault(error: unknown): boolean {
  if (error instanceof DatabaseTimeout || error instanceof StatementNotSent) return true;
  if (error instanceof NoSlot) return true;
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

/** Whether a failed statement may have been applied: any other error of the server than the end of a connection has rolled it back. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof DatabaseTimeout) return error.wasSent ? 'unknown' : 'not applied';
  if (error instanceof StatementNotSent || error instanceof NoSlot) return 'not applied';
  const state = sqlState(error);
  return state === undefined || CONNECTION_ENDED_STATES.has(state) ? 'unknown' : 'not applied';
}

/** The statement ran longer than the server allows: it is slow everywhere, so that no other server is tried. */
const STATEMENT_TIMEOUT = '57014';
/** A replica cancelled the statement because it blocked the replay of the writer's log. */
const RECOVERY_CONFLICT = '40001';

/** The cause of a failed read: the server, a conflict on this server only, or the statement. */
export type ReadFailure = 'server' | 'try another' | 'statement';

export function classifyReadFailure(error: unknown): ReadFailure {
  const state = sqlState(error);
  if (state === STATEMENT_TIMEOUT) return 'statement';
  if (state === RECOVERY_CONFLICT || error instanceof NoSlot) return 'try another';
  return isServerFault(error) ? 'server' : 'statement';
}

export function isFailover(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && FAILOVER_STATES.has(state);
}

const CHECK_VIOLATION = '23514';

/** Whether the change violates this check; triggers name theirs as constraints do. */
export function isViolationOf(error: unknown, constraint: string): boolean {
  return (
    error instanceof postgres.PostgresError &&
    error.code === CHECK_VIOLATION &&
    error.constraint_name === constraint
  );
}

const UNIQUE_VIOLATION = '23505';

/** Whether a value is in this unique index already. */
export function isDuplicateOf(error: unknown, index: string): boolean {
  return (
    error instanceof postgres.PostgresError &&
    error.code === UNIQUE_VIOLATION &&
    error.constraint_name === index
  );
}
