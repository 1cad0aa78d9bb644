import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { migrations, services } from '../../lib/config/services.ts';
import { packagedAssets } from '../../services/user-api/reference/assets.ts';
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

describe.each(services)('the image of $name', ({ dockerfile, entry, name }) => {
  const text = readFileSync(join(repositoryRoot, dockerfile), 'utf8');

  it('when its build is staged, has its sources and nothing else of the repository', () => {
    const assets = z
      .object({
        dockerImages: z.record(
          z.string(),
          z.object({ source: z.object({ directory: z.string(), dockerFile: z.string() }) }),
        ),
      })
      .parse(JSON.parse(readFileSync(join(assembly, 'headroom-dev-api.assets.json'), 'utf8')));
    const source = Object.values(assets.dockerImages)
      .map((image) => image.source)
      .find(({ dockerFile }) => dockerFile === dockerfile);
    const folder = join(assembly, source?.directory ?? '');
    expect(readdirSync(folder).sort()).toEqual([
      '.npmrc',
      'package-lock.json',
      'package.json',
      'services',
    ]);
    expect(readdirSync(join(folder, 'services')).sort()).toEqual(['contracts', name].sort());
  });

  it('has the Node.js that everything is tested with', () => {
    const { devDependencies } = z
      .object({ devDependencies: z.object({ node: z.string() }) })
      .parse(JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')));
    const versions = [...text.matchAll(/node:([\d.]+)-/g)].map(([, version]) => version);
    expect(new Set(versions)).toEqual(new Set([devDependencies.node]));
  });

  it('when its bundling command is run, gets a program that starts, and its migrations', async () => {
    const application = mkdtempSync(join(tmpdir(), 'headroom-application-'));
    try {
      const command = /^RUN (node_modules\/\.bin\/esbuild(?:.*\\\n)*.*)/m.exec(text)?.[1] ?? '';
      expect(command).toContain(entry);
      const environment = { PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
      const build = await runToEnd('sh', ['-c', command.replaceAll('/application', application)], {
        cwd: repositoryRoot,
        env: environment,
      });
      expect(build.output).toBe('');
      const made = readdirSync(application).sort();
      if (name !== 'user-api') {
        expect(made).toEqual(['index.mjs']);
        return;
      }
      expect(made).toEqual(['index.mjs', 'migrations', 'reference-assets']);
      expect(readdirSync(join(application, 'reference-assets')).sort()).toEqual(
        ['LICENSE', ...Object.keys(packagedAssets)].sort(),
      );
      const program = await runToEnd(process.execPath, ['index.mjs'], {
        cwd: application,
        env: {},
      });
      expect(program.output).toContain('DATABASE_URL is not set; it takes a URL');
      expect(program.code).toBe(1);
      // As ECS runs it with another command: what is in the image is all that an operator has.
      const operator = await runToEnd(process.execPath, ['index.mjs', 'administer', 'nothing'], {
        cwd: application,
        env: {},
      });
      expect(operator.output).toMatch(/unknown command 'nothing'[\s\S]*appoint-administrator/);
      expect(operator.code).toBe(2);
    } finally {
      rmSync(application, { recursive: true, force: true });
    }
  });
});
