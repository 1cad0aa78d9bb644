import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renameProject } from '../../bin/rename/rename-project.ts';
import { repositoryRoot } from '../../lib/config/repository-root.ts';
import manifest from '../../package.json' with { type: 'json' };

/** What keeps the old name. */
const KEPT = ['CHANGELOG.md', 'services/user-api/secrets/derived-key.ts'];

/** Another name than the present one, whatever that is. */
const [NAME = ''] = ['acme', 'apex'].filter((name) => name !== manifest.name);

let copy: string;
const at = (path: string) => join(copy, path);
const git = (...words: string[]) =>
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...words], {
    cwd: copy,
    encoding: 'utf8',
  });

/** The files of the repository, tracked or to be. */
function files(): string[] {
  const words = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const listed = execFileSync('git', words, { cwd: repositoryRoot, encoding: 'utf8' });
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(repositoryRoot, path)));
}

describe.runIf(existsSync(join(repositoryRoot, '.git')))('npm run rename', () => {
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'renamed-'));
    for (const path of files()) {
      await cp(join(repositoryRoot, path), at(path), { recursive: true });
    }
    await symlink(join(repositoryRoot, 'node_modules'), at('node_modules'));
    git('init', '--quiet');
    await writeFile(at('.git/info/exclude'), 'node_modules\n');
    git('add', '--all');
    git('commit', '--quiet', '--message', 'Copy');
  });
  afterAll(() => rm(copy, { recursive: true }));

  it.each([
    [{ name: 'Acme' }, '"Acme" is no name'],
    [{ name: 'a-name' }, '"a-name" is no name'],
    [{ name: NAME, domain: 'acme_mail' }, '--domain got "acme_mail"'],
    [{ name: NAME, contact: 'ops' }, '--contact got "ops"'],
  ])('refuses %j, and changes nothing', async (identity, message) => {
    await expect(renameProject(copy, identity)).rejects.toThrow(message);
    expect(git('status', '--porcelain')).toBe('');
  });

  it('refuses a checkout with changes', async () => {
    await writeFile(at('README.md'), 'changed');
    await expect(renameProject(copy, { name: NAME })).rejects.toThrow('not committed');
    git('checkout', '--quiet', 'README.md');
  });

  it('lists what would change, and changes nothing', async () => {
    const counts = await renameProject(copy, { name: NAME }, true);
    expect(counts.get('package.json')).toBeGreaterThan(0);
    expect(git('status', '--porcelain')).toBe('');
  });

  it('leaves no mention of the old name', async () => {
    const { name } = manifest;
    const identity = { name: NAME, domain: 'mail.acme.example', contact: 'ops@acme.example' };
    await renameProject(copy, identity);
    git('add', '--all');

    const mentions = git('grep', '--cached', '-ilI', name)
      .split('\n')
      .filter((path) => path !== '');
    expect(mentions.filter((path) => !KEPT.includes(path))).toEqual([]);
    expect(git('ls-files').toLowerCase()).not.toContain(name);
    const production = await readFile(at('lib/config/stages/production.ts'), 'utf8');
    expect(production).toContain("contacts: { page: ['ops@acme.example']");
    expect(production).toContain("domain: 'mail.acme.example'");
    const reset = await readFile(at('test/lambda-workers/email/password-reset.test.ts'), 'utf8');
    expect(reset).toContain('www\\.mail\\.acme\\.example');
  });
});
