import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from './support/synthesise.ts';

const read = (path: string) => readFileSync(join(repositoryRoot, path), 'utf8');
const manifest: Record<'dependencies' | 'devDependencies', Record<string, string>> = JSON.parse(
  read('package.json'),
);
const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });

it('has a row for each direct dependency, and for no other package', () => {
  const rows = read('docs/decisions/dependencies.md')
    .split('\n')
    .flatMap((line) => /^\| (`[^|]*) \|/.exec(line)?.[1]?.match(/[^`, ]+/g) ?? []);
  expect(rows.toSorted()).toEqual(dependencies.toSorted());
});

it('installs nothing directly that no source names', () => {
  const sources = globSync(
    ['{bin,lib,services,lambda-workers,test}/**/*.{ts,mjs}', '*.json', 'services/*/Dockerfile'],
    { cwd: repositoryRoot, exclude: ['package*.json', 'test/tools/node_modules/**'] },
  )
    .map(read)
    .join('\n');
  const scripts = JSON.stringify(JSON.parse(read('package.json')).scripts);
  // Programs, by the name of the package's command; types, which TypeScript finds by itself.
  const commands: Record<string, string> = {
    '@biomejs/biome': 'biome',
    'aws-cdk': 'cdk',
    typescript: 'tsc',
    vitest: 'vitest',
    'drizzle-kit': 'drizzle-kit',
  };
  const unused = dependencies.filter((name) => {
    if (name.startsWith('@types/'))
      return (
        !dependencies.includes(name.slice(7)) &&
        !sources.includes(`'${name.slice(7)}`) &&
        name !== '@types/node'
      );
    return !sources.includes(`'${name}`) && !scripts.includes(commands[name] ?? '\n');
  });
  expect(unused).toEqual([]);
});
