import { execFileSync } from 'node:child_process';
import { chownSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import { explainFileError } from '../process/directory.ts';

/** Who PostgreSQL runs as, and how its programs must be called for that. */
export interface ServerUser {
  /** What to put before a program and its arguments, and the user and group to start it with. */
  command(program: string, args: readonly string[]): UserCommand;
  /** Gives a file or folder to that user. */
  own(path: string): void;
}

export interface UserCommand {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly userId?: number;
  readonly groupId?: number;
}

interface UnixUser {
  readonly name: string;
  readonly userId: number;
  readonly groupId: number;
}

/** Existing users that PostgreSQL may run as when this process is root, which it refuses to run as; first found wins. */
const UNPRIVILEGED_USERS = ['postgres', 'nobody'];

/**
 * Capabilities that let a process pass folders that its user may not enter, least first, with their bit in
 * linux/capability.h. Containers often have the second only.
 */
const PASSING_CAPABILITIES = [
  { name: 'dac_read_search', bit: 2n },
  { name: 'dac_override', bit: 1n },
];

/**
 * Chooses the user: this one, unless it is root. As root, an existing unprivileged user; where that one cannot reach
 * `directories` (a checkout below /root, say), it gets the one Linux capability to pass closed folders.
 * @throws {LocalFailure} when this is root and no such user can be had.
 */
export function chooseServerUser(directories: readonly string[]): ServerUser {
  if (process.getuid?.() !== 0) {
    return {
      command: (command, args) => ({ command, arguments: args }),
      own: () => {},
    };
  }
  const user = findUnprivilegedUser();
  const closed = directories.flatMap((directory) => closedAncestor(directory, user) ?? [])[0];
  return {
    command: closed === undefined ? plainCommand(user) : capableCommand(user, closed),
    own(path) {
      try {
        chownSync(path, user.userId, user.groupId);
      } catch (error) {
        throw explainFileError(error, `give to the user ${user.name}`, path);
      }
    },
  };
}

function plainCommand(user: UnixUser): ServerUser['command'] {
  return (command, args) => ({
    command,
    arguments: args,
    userId: user.userId,
    groupId: user.groupId,
  });
}

function capableCommand(user: UnixUser, closed: string): ServerUser['command'] {
  const capability = PASSING_CAPABILITIES.find(({ bit }) => (ownCapabilities() >> bit) & 1n);
  const setpriv = capability && findSetpriv();
  if (!capability || !setpriv) {
    const missing = capability
      ? 'there is no `setpriv` (util-linux)'
      : 'this root may not pass it on';
    throw new LocalFailure(
      `PostgreSQL does not run as root, and the user ${user.name}, which it would run as, may not enter ${closed}; ${missing}.`,
      `Run this as an ordinary user; or let others enter the folder with \`chmod a+x ${closed}\`; or set DATABASE_URL to a PostgreSQL server of your own.`,
    );
  }
  const privileges = [
    `--reuid=${user.userId}`,
    `--regid=${user.groupId}`,
    '--clear-groups',
    `--inh-caps=-all,+${capability.name}`,
    `--ambient-caps=-all,+${capability.name}`,
    `--bounding-set=-all,+${capability.name}`,
    '--no-new-privs',
    '--',
  ];
  return (program, args) => ({ command: setpriv, arguments: [...privileges, program, ...args] });
}

function findUnprivilegedUser(): UnixUser {
  for (const name of UNPRIVILEGED_USERS) {
    try {
      return { name, userId: numberOf('-u', name), groupId: numberOf('-g', name) };
    } catch {
      // There is no user of this name.
    }
  }
  throw new LocalFailure(
    `PostgreSQL does not run as root, and there is no user ${UNPRIVILEGED_USERS.join(' or ')} to run it as.`,
    'Run this as an ordinary user, or set DATABASE_URL to a PostgreSQL server of your own.',
  );
}

function numberOf(flag: '-u' | '-g', name: string): number {
  const text = execFileSync('id', [flag, name], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return Number(text.trim());
}

/** The nearest folder on the way to `path`, itself included, that `user` may not enter. */
function closedAncestor(path: string, user: UnixUser): string | undefined {
  for (let folder = realpathSync(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder);
    const shift = uid === user.userId ? 6 : gid === user.groupId ? 3 : 0;
    if (((mode >> shift) & 1) === 0) return folder;
    if (folder === dirname(folder)) return undefined;
  }
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
