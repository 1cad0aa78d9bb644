import { execFileSync } from 'node:child_process';
import { chownSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import { explainFileError } from '../process/directory.ts';
import type { PostgresBinaries } from './binaries.ts';

/** User that PostgreSQL runs as, and how its programs are called for that. */
export interface ServerUser {
  command(program: string, args: readonly string[]): UserCommand;
  /** Changes the owner of a file or folder to that user. */
  own(path: string): void;
}

export interface UserCommand {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly userId?: number;
  readonly groupId?: number;
}

export interface ServerUserChoice {
  readonly binaries: PostgresBinaries;
  /** Folder that holds the data folders. */
  readonly directory: string;
  /** Data that may exist already; its owner stays. */
  readonly dataDirectory: string;
  /** Names of eligible users, first match wins. @default postgres, _postgres, nobody */
  readonly candidates?: readonly string[];
}

interface UnixUser {
  readonly name: string;
  readonly userId: number;
  readonly groupId: number;
}

/** `_postgres` is the one of macOS. */
const UNPRIVILEGED_USERS = ['postgres', '_postgres', 'nobody'];

/** Bits of capabilities in linux/capability.h. */
const CAPABILITY_BITS = { dac_override: 1n, dac_read_search: 2n };
type Capability = keyof typeof CAPABILITY_BITS;

const READ_AND_EXECUTE = 0o5;
const EXECUTE = 0o1;

/**
 * Chooses the current user, unless it is root, which PostgreSQL refuses. As root, the owner of the data, or an existing unprivileged user;
 * where that one
 * cannot reach the programs or the data (a checkout below /root), it gets the one Linux capability to pass closed folders. No user is created.
 *
 * @throws {LocalFailure} when this is root and no such user exists.
 */
export function chooseServerUser(choice: ServerUserChoice): ServerUser {
  if (process.getuid?.() !== 0) {
    return { command: (command, args) => ({ command, arguments: args }), own: () => {} };
  }
  const user = findOwner(choice.dataDirectory) ?? findUser(choice.candidates ?? UNPRIVILEGED_USERS);
  return {
    command: commandAs(user, choice),
    own(path) {
      try {
        chownSync(path, user.userId, user.groupId);
      } catch (error) {
        throw explainFileError(error, `give to the user ${user.name}`, path);
      }
    },
  };
}

function commandAs(
  user: UnixUser,
  { binaries, directory }: ServerUserChoice,
): ServerUser['command'] {
  const closed =
    closedAncestor(dirname(binaries.postgres), user) ?? closedAncestor(directory, user);
  const mayExecute = mayDo(READ_AND_EXECUTE, binaries.postgres, user);
  if (closed === undefined && mayExecute) {
    const { userId, groupId } = user;
    return (command, args) => ({ command, arguments: args, userId, groupId });
  }
  // The smaller capability first: it reads and passes folders, but does not execute closed files, which a checkout by root with umask 077 has. Containers
  // often have the second one only.
  const useful: readonly Capability[] = mayExecute
    ? ['dac_read_search', 'dac_override']
    : ['dac_override'];
  const own = ownCapabilities();
  const capability = useful.find((name) => (own >> CAPABILITY_BITS[name]) & 1n);
  const setpriv = findSetpriv();
  if (!capability || !setpriv) {
    const obstacle = closed ?? binaries.postgres;
    const missing = capability
      ? 'the program `setpriv` of util-linux, which could let it, is not there'
      : 'this root has no right to let it';
    throw new LocalFailure(
      `PostgreSQL does not run as root, and the user ${user.name}, which it would run as, cannot get past ${obstacle}; ${missing}.`,
      `Run this as an ordinary user; or \`chmod -R a+rX ${obstacle}\`; or set DATABASE_URL to a PostgreSQL server of your own.`,
    );
  }
  const privileges = [
    `--reuid=${user.userId}`,
    `--regid=${user.groupId}`,
    '--clear-groups',
    `--inh-caps=-all,+${capability}`,
    `--ambient-caps=-all,+${capability}`,
    // PostgreSQL looks for its programs with access(2), which ignores capabilities without this.
    '--securebits=+no_setuid_fixup',
    '--no-new-privs',
    '--',
  ];
  return (program, args) => ({ command: setpriv, arguments: [...privileges, program, ...args] });
}

function findOwner(dataDirectory: string): UnixUser | undefined {
  try {
    const { uid, gid } = statSync(dataDirectory);
    return uid === 0 ? undefined : { name: `with the id ${uid}`, userId: uid, groupId: gid };
  } catch {
    return undefined;
  }
}

function findUser(candidates: readonly string[]): UnixUser {
  for (const name of candidates) {
    try {
      return { name, userId: numberOf('-u', name), groupId: numberOf('-g', name) };
    } catch {
      // No such user.
    }
  }
  throw new LocalFailure(
    `PostgreSQL does not run as root, and there is no user ${candidates.join(' or ')} to run it as.`,
    'Run this as an ordinary user, or set DATABASE_URL to a PostgreSQL server of your own.',
  );
}

function numberOf(flag: '-u' | '-g', name: string): number {
  const text = execFileSync('id', [flag, name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // macOS prints -2 of `nobody` as 4294967294; Node.js takes the signed number only.
  return Number(text.trim()) | 0;
}

/** The nearest folder on the way to `path`, inclusive, that `user` may not enter. */
function closedAncestor(path: string, user: UnixUser): string | undefined {
  for (let folder = realpathSync(path); ; folder = dirname(folder)) {
    if (!mayDo(EXECUTE, folder, user)) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Whether the permission bits give `user`, without further groups, all of `rights`. */
function mayDo(rights: number, path: string, user: UnixUser): boolean {
  const { mode, uid, gid } = statSync(path);
  const shift = uid === user.userId ? 6 : gid === user.groupId ? 3 : 0;
  return ((mode >> shift) & rights) === rights;
}

function ownCapabilities(): bigint {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return BigInt(`0x${effective?.[1] ?? '0'}`);
  } catch {
    // Not Linux.
    return 0n;
  }
}

function findSetpriv(): string | undefined {
  return ['/usr/bin/setpriv', '/bin/setpriv', '/usr/sbin/setpriv'].find((path) => {
    try {
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}
