import { LocalFailure } from '../local-failure.ts';

/** SQLSTATE of a wrong password (https://www.postgresql.org/docs/18/errcodes-appendix.html). */
const INVALID_PASSWORD = '28P01';

/** PostgreSQL's data cannot be used as it is. */
export function corruptData(
  directory: string,
  why: string,
  logLines: readonly string[] = [],
): LocalFailure {
  return new LocalFailure(
    `The PostgreSQL data in ${directory} is damaged: ${why}.${quote(logLines)}`,
    'Run `npm run reset` to wipe the local data and start anew.',
  );
}

/** The servers run, but the statements that prepare them failed. */
export function explainQueryFailure(error: unknown, directory: string): LocalFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && 'code' in error && error.code === INVALID_PASSWORD) {
    return corruptData(directory, 'its servers do not take the passwords that are kept beside it');
  }
  return new LocalFailure(
    `PostgreSQL started, but did not do what it was asked: ${message}.`,
    `Read the logs in ${directory}. If the data is damaged, \`npm run reset\` wipes it.`,
    { cause: error },
  );
}

export function portTaken(port: number, server: string): LocalFailure {
  return new LocalFailure(
    `Port ${port}, asked for the ${server}, is taken by another program.`,
    'Stop that program, or ask for another port; 0 takes any free one.',
  );
}

/** Whether the log says that somebody else has the port. */
export function saysPortTaken(logLines: readonly string[]): boolean {
  return logLines.some((line) => /could not bind .*address.*in use/i.test(line));
}

/** Messages of PostgreSQL that mean that its files are no longer what they were. */
const DAMAGE =
  /invalid primary checkpoint record|could not locate (a valid|required) checkpoint record|incorrect checksum in control file|not a valid data directory|database files are incompatible|was initialized by PostgreSQL version|control file .* (invalid|corrupt)|could not (open|read|find).*(pg_control|PG_VERSION|pg_filenode\.map|postgresql\.conf|pg_hba\.conf|global\/|base\/)|could not find the database system|invalid page in block|PANIC:/i;

/** Turns what a server said before it ended into what a developer can do about it. */
export function explainServerFailure(
  problem: string,
  logLines: readonly string[],
  dataDirectory: string,
  logFile: string,
): LocalFailure {
  const log = logLines.join('\n');
  if (/no space left on device|disk quota exceeded/i.test(log)) {
    return new LocalFailure(
      `${problem}: the disk that holds ${dataDirectory} is full.`,
      'Free some space, or set LOCAL_DIRECTORY to a folder on another disk.',
    );
  }
  if (/error while loading shared libraries|Library not loaded|GLIBC_\S+' not found/i.test(log)) {
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
  if (DAMAGE.test(log)) return corruptData(dataDirectory, problem, logLines);
  return new LocalFailure(
    `${problem}.${quote(logLines)}`,
    `Read the whole log in ${logFile}. If the data is damaged, \`npm run reset\` wipes it.`,
  );
}

function quote(logLines: readonly string[]): string {
  if (logLines.length === 0) return '';
  return ` PostgreSQL said:\n${logLines.map((line) => `  ${line}`).join('\n')}`;
}
