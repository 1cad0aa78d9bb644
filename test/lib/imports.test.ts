import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { services } from '../../lib/config/services.ts';
import { workers } from '../../lib/config/workers.ts';
import { A_SERVICE, A_WORKER, folderImports } from './folder-imports.ts';
import { repositoryRoot } from './support/synthesise.ts';

const sources = ['bin', 'lib', 'lambda-workers', 'services'];
/** What only programs of `bin` import. */
const tools = ['test/mutation', 'test/performance'];

/** `from '…'` of imports and exports, imports for their effects, and imports at run time; of types, too. Not those in the text that `npm run new` writes. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^'$]+)'/g;

function importsOf(text: string, file: string): string[] {
  return [...text.matchAll(IMPORT)].map(([, path = '']) => resolve(dirname(file), path));
}

const shown = (file: string) => relative(repositoryRoot, file).replaceAll(sep, '/');

/** Every source file, and what it imports of the repository, relative to its root. */
const graph: ReadonlyMap<string, readonly string[]> = new Map(
  sources
    .flatMap((folder) =>
      readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(repositoryRoot, folder, name)),
    )
    .map((file) => [shown(file), importsOf(readFileSync(file, 'utf8'), file).map(shown)]),
);

const serviceFolders = services.slice(1).map(({ entry }) => dirname(entry));
const workerFolders = workers.map(({ entry }) => dirname(entry));

/** The listed folder that a file belongs to: the one with the longest name, or a tool. All workers have the rules of one. */
function folderOf(file: string): string {
  if (serviceFolders.some((folder) => file.startsWith(`${folder}/`))) return A_SERVICE;
  if (workerFolders.some((folder) => file.startsWith(`${folder}/`))) return A_WORKER;
  const folders = [...Object.keys(folderImports), ...tools];
  const [folder] = folders
    .filter((name) => file.startsWith(`${name}/`))
    .toSorted((left, right) => right.length - left.length);
  return folder ?? dirname(file);
}

/** Every import from one folder into another one, with a file that has it. */
const edges: ReadonlyMap<string, string> = new Map(
  [...graph].flatMap(([file, imported]) =>
    imported
      .map((one) => [folderOf(file), folderOf(one), `${file} → ${one}`] as const)
      .filter(([from, to]) => from !== to)
      .map(([from, to, example]) => [`${from} → ${to}`, example]),
  ),
);
const allowed = Object.entries(folderImports).flatMap(([from, folders]) =>
  folders.map((to) => `${from} → ${to}`),
);

/** The first cycle that is found, as the files on it; undefined where there is none. */
function findCycle(imports: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  const search = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    for (const next of imports.get(file) ?? []) {
      const cycle = search(next, [...path, file]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const cycle = search(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe('imports', () => {
  it('of every source file, lead to files that exist', () => {
    expect(graph.size).toBeGreaterThan(300);
    const missing = [...graph.values()]
      .flat()
      .filter((file) => sources.some((folder) => file.startsWith(`${folder}/`)))
      .filter((file) => !graph.has(file));
    expect(missing).toEqual([]);
  });

  it('between folders, are those of folder-imports.ts', () => {
    const unlisted = [...edges].filter(
      ([edge]) => !allowed.includes(edge) && !edge.startsWith(`${A_SERVICE} → services/contracts`),
    );
    expect(unlisted.map(([, example]) => example)).toEqual([]);
    expect(allowed.filter((edge) => !edges.has(edge))).toEqual([]);
  });

  it('listed there, lead from the top to the bottom of the list within an area, and out of it only to services/contracts', () => {
    const order = Object.keys(folderImports);
    const areaOf = (folder: string) =>
      [
        'services/user-api',
        'services/local',
        'services/contracts',
        'lambda-workers',
        'lib',
        'bin',
      ].find((area) => folder === area || folder.startsWith(`${area}/`));
    const upward = Object.entries(folderImports)
      .filter(([from]) => from !== 'bin')
      .flatMap(([from, folders]) =>
        folders
          .filter((to) =>
            areaOf(from) === areaOf(to)
              ? order.indexOf(to) <= order.indexOf(from)
              : areaOf(from) === 'lib' || areaOf(to) !== 'services/contracts',
          )
          .map((to) => `${from} → ${to}`),
      );
    expect(upward).toEqual([]);
  });

  it('of a worker, lead to no other worker', () => {
    const ofWorker = (file: string) =>
      workerFolders.find((folder) => file.startsWith(`${folder}/`));
    const crossing = [...graph].flatMap(([file, imported]) =>
      imported
        .filter((to) => ofWorker(to) !== undefined && ofWorker(to) !== ofWorker(file))
        .map((to) => `${file} → ${to}`),
    );
    expect(crossing).toEqual([]);
  });

  it('of files, types included, have no cycle', () => {
    expect(findCycle(graph)).toBeUndefined();
    const withCycle = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ]);
    expect(findCycle(withCycle)).toEqual(['b', 'c', 'b']);
  });

  it('of every kind, are read', () => {
    const text = `
      import { one } from './one.ts';
      import type { Two } from './two.ts';
      export { three } from './three.ts';
      import './four.ts';
      const five = await import('./five.ts');
      import six from 'package';
    `;
    expect(importsOf(text, '/folder/file.ts').map((file) => file.split(sep).at(-1))).toEqual([
      'one.ts',
      'two.ts',
      'three.ts',
      'four.ts',
      'five.ts',
    ]);
  });
});
