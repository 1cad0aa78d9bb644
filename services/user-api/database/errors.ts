import { DrizzleQueryError } from 'drizzle-orm';
import postgres from 'postgres';

/** The database could not do it now; the same may succeed later. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}

/** No answer came within the deadline, which is longer than the server lets a statement run. */
export class DatabaseSilent extends Error {
  override readonly name = 'DatabaseSilent';
}

/**
 * What drizzle-orm wrapped. Its own error quotes the statement's parameters in its message, and those are personal data.
 */
export function unwrapDatabaseError(error: unknown): unknown {
  return error instanceof DrizzleQueryError ? (error.cause ?? new Error('Query failed')) : error;
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
  if (error instanceof DatabaseSilent) return true;
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

/** The statement ran longer than the server allows: slow everywhere, so another server is not asked. */
const STATEMENT_TIMEOUT = '57014';
/** A replica cancelled the statement because it stood in the way of replaying the writer's log. */
const RECOVERY_CONFLICT = '40001';

/** What a failed read says of the server that it was sent to. */
export type ReadFailure = 'server' | 'try another' | 'statement';

export function classifyReadFailure(error: unknown): ReadFailure {
  const state = sqlState(error);
  if (state === STATEMENT_TIMEOUT) return 'statement';
  if (state === RECOVERY_CONFLICT) return 'try another';
  return isServerFault(error) ? 'server' : 'statement';
}

/** The server is shutting down, or has become a reader: the name must be resolved again, by new connections. */
const FAILOVER_CODES = new Set(['25006', '57P01']);

export function isFailover(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && FAILOVER_CODES.has(state);
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
