import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from './support/synthesise.ts';

const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
const LINK = /\{@link (\w+)|@throws `?(?:\{@link )?([A-Z]\w+)/g;

it('names of links and thrown errors in docstrings exist in the code', () => {
  const files = globSync('{bin,lib,services,lambda-workers,test}/**/*.ts', {
    exclude: ['**/node_modules/**'],
    cwd: repositoryRoot,
  }).map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), 'utf8') }));
  const code = files.map(({ text }) => text.replace(COMMENT, '')).join('\n');
  const identifiers = new Set(code.match(/\w+/g));
  const unknown = files.flatMap(({ path, text }) =>
    [...text.matchAll(LINK)]
      .map((match) => match[1] ?? match[2] ?? '')
      .filter((name) => !identifiers.has(name))
      .map((name) => `${path}: ${name}`),
  );
  expect(unknown).toEqual([]);
});
