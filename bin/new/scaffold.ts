import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../lib/config/repository-root.ts';
import { LocalFailure } from '../../services/local/local-failure.ts';

/** Text that is put into a file in front of an anchor. */
export interface Insertion {
  readonly file: string;
  /** Text that the file has once. */
  readonly before: string;
  readonly text: string;
}

/** What is written for a new part; paths are relative to the root of the repository. */
export interface Scaffold {
  /** Text of each new file, by its path. */
  readonly files: Readonly<Record<string, string>>;
  readonly insertions: readonly Insertion[];
  /** What to do next, a line each. */
  readonly next: readonly string[];
}

/** A kind of part that `npm run new` writes. */
export interface Kind {
  /** The word on the command line. */
  readonly name: string;
  /** What a part of this kind is, in a few words. */
  readonly is: string;
  readonly longestName: number;
  /** Names that a new part cannot have. */
  taken(): readonly string[];
  create(name: string): Promise<Scaffold>;
}

const SHAPE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** The forms of a name, as templates ask for them: `{{name}}` for `cold-storage`, and `{{camel}}`, `{{Pascal}}`, `{{CONSTANT}}`, `{{snake}}`. */
export function formsOf(name: string) {
  const words = name.split('-');
  const capitalized = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  const Pascal = capitalized.join('');
  return {
    name,
    Pascal,
    camel: (words[0] ?? '') + capitalized.slice(1).join(''),
    snake: words.join('_'),
    CONSTANT: words.join('_').toUpperCase(),
  };
}

/**
 * The text of a file of `bin/new/templates`, with `values` for what is in `{{…}}`.
 *
 * @throws for a name in braces that has no value.
 */
export async function fromTemplate(
  template: string,
  values: Readonly<Record<string, string>>,
): Promise<string> {
  const text = await readFile(join(import.meta.dirname, 'templates', template), 'utf8');
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${template} has {{${name}}}, which has no value.`);
    return value;
  });
}

function checkName(kind: Kind, name: string): void {
  if (!SHAPE.test(name) || name.length > kind.longestName) {
    throw new LocalFailure(
      `"${name}" is no name for a ${kind.name}. It takes at most ${kind.longestName} lower-case letters, digits and single hyphens, a letter first.`,
      `For example: npm run new -- ${kind.name} orders`,
    );
  }
  const taken = kind.taken();
  if (taken.includes(name)) {
    throw new LocalFailure(
      `The name "${name}" is taken.`,
      `Choose a name other than ${taken.join(', ')}.`,
    );
  }
}

/** The texts of the files that change. */
async function insertAll(insertions: readonly Insertion[]): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for (const { file, before, text } of insertions) {
    const current = texts.get(file) ?? (await readFile(join(repositoryRoot, file), 'utf8'));
    if (current.split(before).length !== 2) {
      throw new LocalFailure(
        `${file} has not exactly one "${before.trim()}", in front of which a line belongs.`,
        'Nothing is written. Restore that line, or make the change by hand.',
      );
    }
    texts.set(
      file,
      current.replace(before, () => text + before),
    );
  }
  return texts;
}

/**
 * Writes what `kind` makes for `name`, all of it or nothing, in the format of the repository.
 *
 * @returns the paths that were written, and what to do next.
 * @throws {LocalFailure} for a name that is wrong or taken, and for a file that is there already.
 */
export async function writeScaffold(
  kind: Kind,
  name: string,
): Promise<{ readonly written: readonly string[]; readonly next: readonly string[] }> {
  checkName(kind, name);
  const { files, insertions, next } = await kind.create(name);
  const present = Object.keys(files).filter((path) => existsSync(join(repositoryRoot, path)));
  if (present.length > 0) {
    throw new LocalFailure(
      `${present.join(', ')} ${present.length === 1 ? 'is' : 'are'} there already.`,
      'Nothing is written. Choose another name, or remove what is there.',
    );
  }
  const changed = await insertAll(insertions);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(repositoryRoot, path)), { recursive: true });
    await writeFile(join(repositoryRoot, path), text, { flag: 'wx' });
  }
  for (const [path, text] of changed) await writeFile(join(repositoryRoot, path), text);
  const written = [...Object.keys(files), ...changed.keys()];
  await format(written);
  return { written, next };
}

/** Names differ in length and order, and so do lines and imports. */
async function format(paths: readonly string[]): Promise<void> {
  const biome = join(repositoryRoot, 'node_modules/@biomejs/biome/bin/biome');
  const sources = paths.filter((path) => path.endsWith('.ts'));
  await promisify(execFile)(process.execPath, [biome, 'check', '--write', ...sources], {
    cwd: repositoryRoot,
  });
}
