import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { migrations } from '../../lib/config/services.ts';
import { repositoryRoot, runToEnd } from './support/synthesise.ts';
import { readTemplates, resourcesOf } from './support/templates.ts';

const assembly = inject('cloudAssembly');
const stacks = readTemplates(assembly).filter(({ stage }) => stage === 'dev');

/** Prints what a bundle exports, as Lambda sees it: alone, with no package beside it. */
const listExports =
  "import(process.argv[1]).then((bundle) => console.log(Object.entries(bundle).map(([name, value]) => name + ':' + typeof value).join()))";

/** Folder of the code of the functions of that stack. */
function codeOf(part: string): string {
  const own = resourcesOf(
    stacks.filter((stack) => stack.part === part),
    'AWS::Lambda::Function',
  ).filter(({ Properties }) => 'VpcConfig' in Properties);
  const { Code } = z.object({ Code: z.object({ S3Key: z.string() }) }).parse(own[0]?.Properties);
  return join(assembly, `asset.${Code.S3Key.replace('.zip', '')}`);
}

describe('the bundle', () => {
  it.each(['workers', 'migrations'])(
    'of %s, loaded without any package, has a handler',
    async (part) => {
      const folder = codeOf(part);
      const bundle = await runToEnd(
        process.execPath,
        ['-e', listExports, join(folder, 'index.mjs')],
        {
          cwd: folder,
          env: {},
        },
      );
      expect(bundle).toEqual({ code: 0, output: 'handler:function\n' });
    },
  );

  it('of migrations, when deployed, has every migration beside it', () => {
    const source = join(repositoryRoot, migrations.directory);
    const names = readdirSync(source, { recursive: true, encoding: 'utf8' });
    expect(names).toContain(join('meta', '_journal.json'));
    const copied = readdirSync(join(codeOf('migrations'), 'migrations'), {
      recursive: true,
      encoding: 'utf8',
    });
    expect(copied.sort()).toEqual(names.sort());
  });
});

describe('the build of the image', () => {
  it('of the user API, when staged, has its sources and nothing else of the repository', () => {
    const assets = z
      .object({
        dockerImages: z.record(
          z.string(),
          z.object({ source: z.object({ directory: z.string() }) }),
        ),
      })
      .parse(JSON.parse(readFileSync(join(assembly, 'headroom-dev-api.assets.json'), 'utf8')));
    const directories = Object.values(assets.dockerImages).map(({ source }) => source.directory);
    expect(directories).toHaveLength(1);
    const folder = join(assembly, directories[0] ?? '');
    expect(readdirSync(folder).sort()).toEqual([
      '.npmrc',
      'package-lock.json',
      'package.json',
      'services',
    ]);
    expect(readdirSync(join(folder, 'services')).sort()).toEqual(['contracts', 'user-api']);
    expect(existsSync(join(folder, 'services/user-api/Dockerfile'))).toBe(true);
  });
});
