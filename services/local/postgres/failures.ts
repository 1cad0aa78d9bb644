import { LocalFailure } from '../local-failure.ts';

/** SQLSTATE of a wrong password (https://www.postgresql.org/docs/18/errcodes-appendix.html). */
const INVALID_PASSWORD = '28P01';

/** Messages of PostgreSQL or the C library about a full disk. */
const DISK_FULL = /no space left on device|disk quota exceeded|wrote only \d+ of \d+ bytes/i;
const LIBRARY_MISSING =
  /error while loading shared libraries|Library not loaded|GLIBC_\S+' not found/i;
/** Messages about damaged files. */
const DAMAGED =
  /invalid primary checkpoint record|could not locate (a valid|required) checkpoint record|incorrect checksum in control file|not a valid data directory|database files are incompatible|contains invalid data|invalid page in block|could not (open|read|find|access) .*(pg_control|PG_VERSION|pg_filenode\.map|configuration file|directory "(global|base|pg_wal))|could not find the database system|PANIC:/i;
const PORT_TAKEN = /could not bind .*address.*in use/i;

export function corruptData(
  directory: string,
  why: string,
  logLines: readonly string[] = [],
): LocalFailure {
  return new LocalFailure(
    `The PostgreSQL data in ${directory} is damaged: ${why}.${quote(logLines)}`,
    'Run `npm run reset` to wipe the local data and start again.',
  );
}

export function otherVersion(directory: string, theirs: string, ours: string): LocalFailure {
  return new LocalFailure(
    `The PostgreSQL data in ${directory} cannot be used: it was made by PostgreSQL ${theirs}, and this is PostgreSQL ${ours}.`,
    'Run `npm run reset` to wipe the local data and start again.',
  );
}

export function portTaken(port: number, server: string): LocalFailure {
  return new LocalFailure(
    `Port ${port}, asked for the ${server}, is taken by another program.`,
    'Stop that program, or ask for another port; 0 takes any free one.',
  );
}

/** Whether the log says that the port is taken. */
export function isPortTakenError(logLines: readonly string[]): boolean {
  return logLines.some((line) => PORT_TAKEN.test(line));
}

export interface FailurePlace {
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly logLines: readonly string[];
}

/** Explains why a program ended or did not get ready, with a remedy. */
export function explainServerFailure(problem: string, place: FailurePlace): LocalFailure {
  return (
    knownCause(problem, place) ??
    new LocalFailure(
      `${problem}.${quote(place.logLines)}`,
      `Read the whole log in ${place.logFile}. If the data is damaged, \`npm run reset\` wipes it.`,
    )
  );
}

/** The primary was ready, but a statement failed: often because it ended meanwhile. */
export function explainQueryFailure(error: unknown, place: FailurePlace): LocalFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && 'code' in error && error.code === INVALID_PASSWORD) {
    return corruptData(
      place.dataDirectory,
      'the server does not take the passwords that are kept beside it',
    );
  }
  return explainServerFailure(`PostgreSQL started, but then failed: ${message}`, place);
}

function knownCause(problem: string, place: FailurePlace): LocalFailure | undefined {
  const { dataDirectory, logLines } = place;
  // Errors of statements are in the problem, not in the log.
  const log = [problem, ...logLines].join('\n');
  if (DISK_FULL.test(log)) {
    return new LocalFailure(
      `${problem}: the disk that holds ${dataDirectory} is full.`,
      'Free some space, or set LOCAL_DIRECTORY to a folder on another disk.',
    );
  }
  if (LIBRARY_MISSING.test(log)) {
    return new LocalFailure(
      `${problem}: libraries that PostgreSQL needs are missing.${quote(logLines)}`,
      'Install the library that is named, or run `npm ci` again if it is one of node_modules; or set DATABASE_URL to a PostgreSQL server of your own.',
    );
  }
  if (/^setpriv: /m.test(log)) {
    return new LocalFailure(
      `${problem}: this root may not pass on the rights that PostgreSQL needs here.${quote(logLines)}`,
      'Run this as an ordinary user, or set DATABASE_URL to a PostgreSQL server of your own.',
    );
  }
  return DAMAGED.test(log) ? corruptData(dataDirectory, problem, logLines) : undefined;
}

function quote(logLines: readonly string[]): string {
  if (logLines.length === 0) return '';
  return ` PostgreSQL said:\n${logLines.map((line) => `  ${line}`).join('\n')}`;
}
