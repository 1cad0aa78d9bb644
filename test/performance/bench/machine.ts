import { execFileSync } from 'node:child_process';
import { arch, cpus, release, totalmem, type } from 'node:os';

/** Where the figures come from: without it they say nothing. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGibibytes: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** @param versions - of the programs that took part, beside Node.js. */
export function describeMachine(versions: Readonly<Record<string, string>>): Machine {
  const all = cpus();
  return {
    processor: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGibibytes: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    versions: { 'Node.js': process.versions.node, ...versions },
  };
}

/** The commit that is checked out, with `+` behind it when files differ from it; null outside a repository. */
export function currentCommit(directory: string): string | null {
  const git = (...parameters: string[]) =>
    execFileSync('git', ['-C', directory, ...parameters], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const commit = git('rev-parse', '--short', 'HEAD');
    return git('status', '--porcelain', '--untracked-files=no') === '' ? commit : `${commit}+`;
  } catch {
    return null;
  }
}
