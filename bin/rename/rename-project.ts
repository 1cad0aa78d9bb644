import { execFile } from 'node:child_process';
import { lstat, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { production } from '../../lib/config/stages/production.ts';
import { LocalFailure } from '../../services/local/local-failure.ts';

export interface NewIdentity {
  /** Name of the project: a word of lower-case letters and digits. */
  readonly name: string;
  /** Domain that emails are sent from; the stages have subdomains of it. @default the present one with the new name */
  readonly domain?: string;
  /** Email address that alarms of every stage go to. @default as it is */
  readonly contact?: string;
}

/** What stays as it is. */
const KEPT = new Set([
  'LICENSE',
  'CHANGELOG.md',
  // The label with which keys are derived: another one makes other keys, and a test compares them.
  'services/user-api/secrets/derived-key.ts',
]);
/** Names of stacks, alarms and log groups begin with it, and have limits. */
const NAME = /^[a-z][a-z0-9]{1,11}$/;
const CONTACTS = /contacts: \{ page: \[.*?\], ticket: \[.*?\] \}/;
const STAGE = /^lib\/config\/stages\/[\w-]+\.ts$/;

const run = promisify(execFile);
const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

function check({ name, domain, contact }: NewIdentity, current: string): void {
  const refuse = (what: string, takes: string) => {
    throw new LocalFailure(what, takes);
  };
  if (!NAME.test(name)) {
    refuse(
      `"${name}" is no name for the project.`,
      'It takes 2 to 12 lower-case letters and digits, a letter first.',
    );
  }
  if (name === current) refuse(`The project is named ${name} already.`, 'Choose another name.');
  if (domain !== undefined && !z.hostname().safeParse(domain).success) {
    refuse(`--domain got "${domain}".`, 'It takes a domain such as acme.example.');
  }
  if (contact !== undefined && !z.email().safeParse(contact).success) {
    refuse(`--contact got "${contact}".`, 'It takes an email address such as ops@acme.example.');
  }
}

/** The tracked files of a checkout. @throws {LocalFailure} where there are changes that are not committed. */
async function trackedFiles(root: string): Promise<readonly string[]> {
  const git = async (...words: string[]) => {
    try {
      return (await run('git', words, { cwd: root, maxBuffer: 2 ** 26 })).stdout;
    } catch (cause) {
      throw new LocalFailure(
        `git ${words[0]} failed in ${root}.`,
        'Run this in a clone of the repository.',
        { cause },
      );
    }
  };
  if ((await git('status', '--porcelain')) !== '') {
    throw new LocalFailure(
      'The checkout has changes that are not committed.',
      'Commit or stash them first, so that the difference is the renaming alone.',
    );
  }
  return (await git('ls-files', '-z')).split('\0').filter((path) => path !== '');
}

/**
 * Replaces the name of the project, in each of its forms, in the text and the path of every tracked file, with the domain and the contacts of the stages.
 *
 * @param root - of the checkout.
 * @param isDryRun - whether nothing is written.
 * @returns the files that change, with how often.
 * @throws {LocalFailure} for a name, domain or contact that is wrong, and in a checkout with changes.
 */
export async function renameProject(
  root: string,
  identity: NewIdentity,
  isDryRun = false,
): Promise<ReadonlyMap<string, number>> {
  const manifest = z
    .object({ name: z.string() })
    .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const { domain, contact } = identity;
  check(identity, manifest.name);
  const forms = (name: string) => [name, capitalized(name), name.toUpperCase()];
  const [current, renamed] = [forms(manifest.name), forms(identity.name)];
  // In regular expressions, too, where a dot has a backslash before it.
  const oldDomain = production.policy.email.domain.replaceAll('.', '\\\\?\\.');
  const pattern = new RegExp(
    [...(domain === undefined ? [] : [oldDomain]), ...current].join('|'),
    'g',
  );
  const counts = new Map<string, number>();
  for (const path of await trackedFiles(root)) {
    if (KEPT.has(path) || !(await lstat(join(root, path))).isFile()) continue;
    const bytes = await readFile(join(root, path));
    if (bytes.includes(0)) continue;
    let count = 0;
    const replace = (found: string) => {
      count += 1;
      const form = renamed[current.indexOf(found)];
      if (form !== undefined) return form;
      return found.includes('\\') ? (domain ?? '').replaceAll('.', '\\.') : (domain ?? '');
    };
    let text = bytes.toString('utf8').replace(pattern, replace);
    if (contact !== undefined && STAGE.test(path)) {
      text = text.replace(CONTACTS, () => {
        count += 1;
        return `contacts: { page: ['${contact}'], ticket: ['${contact}'] }`;
      });
    }
    const moved = path.replace(pattern, replace);
    if (count === 0) continue;
    counts.set(path, count);
    if (isDryRun) continue;
    await writeFile(join(root, path), text);
    if (moved !== path) await rename(join(root, path), join(root, moved));
  }
  return counts;
}
