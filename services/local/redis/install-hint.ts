import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Install commands by package manager, first match wins. */
const INSTALLERS: readonly (readonly [manager: string, line: string])[] = [
  ['apt-get', 'sudo apt-get install -y redis-server'],
  ['dnf', 'sudo dnf install -y valkey'],
  ['yum', 'sudo yum install -y redis'],
  ['pacman', 'sudo pacman -S --noconfirm valkey'],
  ['apk', 'sudo apk add valkey'],
  ['zypper', 'sudo zypper install -y valkey'],
  ['brew', 'brew install redis'],
];

/** The command that installs a Redis or Valkey server, by the package managers on the PATH. */
export function redisInstallLine(path: string = process.env.PATH ?? ''): string {
  const folders = path.split(delimiter).filter((part) => part !== '');
  const found = INSTALLERS.find(([manager]) =>
    folders.some((folder) => isExecutable(folder, manager)),
  );
  const line = found?.[1] ?? 'see https://valkey.io/download/';
  // Root in a container often has no sudo.
  return process.getuid?.() === 0 ? line.replace(/^sudo /, '') : line;
}

function isExecutable(folder: string, program: string): boolean {
  try {
    accessSync(join(folder, program), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
