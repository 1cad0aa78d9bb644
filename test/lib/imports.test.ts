import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from './support/synthesise.ts';

/** The folders whose files import each other, and what each may import besides itself. */
const directions: Readonly<Record<string, readonly string[]>> = {
  bin: [
    'lib',
    'services/user-api',
    'services/local',
    'services/contracts',
    'test/performance/bench',
    'test/performance/load',
    'test/mutation',
  ],
  lib: [],
  'lambda-workers': ['services/contracts'],
  'services/contracts': [],
  'services/local': ['services/contracts', 'services/user-api'],
  'services/user-api': ['services/contracts'],
};
const folders = Object.keys(directions);

/** `from '…'` of imports and exports, imports for their effects, and imports while running; of types, too. */
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g;

function importsOf(text: string, file: string): string[] {
  return [...text.matchAll(IMPORT)].map(([, path = '']) => resolve(dirname(file), path));
}

/** Every source file of `folders`, and what it imports of the repository. */
const graph: ReadonlyMap<string, readonly string[]> = new Map(
  folders
    .flatMap((folder) =>
      readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(repositoryRoot, folder, name)),
    )
    .map((file) => [file, importsOf(readFileSync(file, 'utf8'), file)]),
);

const shown = (file: string) => relative(repositoryRoot, file).replaceAll(sep, '/');
const isIn = (file: string, folder: string) => shown(file).startsWith(`${folder}/`);

/** The first way round that is found, as the files on it; undefined where there is none. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  const search = (file: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    for (const next of edges.get(file) ?? []) {
      const cycle = search(next, [...way, file]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(file);
    return undefined;
  };
  for (const file of edges.keys()) {
    const cycle = search(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe('imports', () => {
  it('of every source file, lead to files that exist', () => {
    expect(graph.size).toBeGreaterThan(300);
    const found = [...graph.values()].flat();
    expect(found.length).toBeGreaterThan(graph.size);
    for (const file of found.filter((one) => folders.some((folder) => isIn(one, folder)))) {
      expect(graph.has(file), shown(file)).toBe(true);
    }
  });

  it.each(Object.entries(directions))('of %s, go to itself and %j alone', (folder, others) => {
    const strays = [...graph]
      .filter(([file]) => isIn(file, folder))
      .flatMap(([file, imported]) =>
        imported
          .filter((one) => ![folder, ...others].some((allowed) => isIn(one, allowed)))
          .map((one) => `${shown(file)} → ${shown(one)}`),
      );
    expect(strays).toEqual([]);
  });

  it('of all of them, types included, never lead back to where they began', () => {
    expect(findCycle(graph)?.map(shown)).toBeUndefined();
  });

  it('that lead back to where they began, are found', () => {
    const edges = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ]);
    expect(findCycle(edges)).toEqual(['b', 'c', 'b']);
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
