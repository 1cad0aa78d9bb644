import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { writeScaffold } from '../../../bin/new/scaffold.ts';
import { serviceKind } from '../../../bin/new/service.ts';
import { stageKind } from '../../../bin/new/stage.ts';
import { workerKind } from '../../../bin/new/worker.ts';
import { services } from '../../../lib/config/services.ts';
import { repositoryRoot, synthesise } from '../../lib/support/synthesise.ts';
import { readTemplates, resourcesOf, type StackTemplate } from '../../lib/support/templates.ts';

const run = promisify(execFile);

/** The suites that were written, and those whose expectations follow from the lists of workers, services and stages. */
const suites = [
  'test/lambda-workers/cold-storage/worker.test.ts',
  'test/services/orders/app.test.ts',
  'test/lib/alarms-scenarios.test.ts',
  'test/lib/capacity.test.ts',
  'test/lib/cost.test.ts',
  'test/lib/environment.test.ts',
  'test/lib/imports.test.ts',
  'test/lib/network-and-access.test.ts',
];

let copy: string;
let cloudAssembly: string;
let stacks: readonly StackTemplate[];
const at = (path: string) => join(copy, path);

/** Runs a program in the copy; what it printed is in the message when it fails. */
async function inCopy(words: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const running = run(process.execPath, [...words], {
    cwd: copy,
    env: { PATH, NODE_COMPILE_CACHE, ...environment },
  });
  const { stdout } = await running.catch((error) => expect.fail(error.stdout + error.stderr));
  return stdout;
}

/** Of the stages, only the new one and the one that suites name: each takes a second to synthesise. */
async function leaveTwoStages(): Promise<void> {
  const list = at('lib/config/stages/stages.ts');
  const text = await readFile(list, 'utf8');
  const [names = ''] = /(?<=readonly StageDefinition\[\] = )\[[^\]]+\]/.exec(text) ?? [];
  expect(names).toMatch(/\bloadTest\b/);
  await writeFile(list, text.replace(names, '[production, loadTest]'));
}

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'headroom-new-parts-'));
  const inputs = ['bin', 'lib', 'services', 'lambda-workers', 'test', 'docs/reference'];
  const files = ['package.json', 'tsconfig.json', 'cdk.json', '.biome.json', '.gitignore'];
  await Promise.all([
    ...[...inputs, ...files].map((path) =>
      cp(join(repositoryRoot, path), at(path), {
        recursive: true,
        filter: (source) => basename(source) !== 'snapshots',
      }),
    ),
    symlink(join(repositoryRoot, 'node_modules'), at('node_modules')),
  ]);
  await inCopy(['bin/run.mjs', 'new', 'worker', 'cold-storage']);
  await inCopy(['bin/run.mjs', 'new', 'service', 'orders']);
  await inCopy(['bin/run.mjs', 'new', 'stage', 'load-test']);
  await leaveTwoStages();
  cloudAssembly = at('cdk.out');
  await synthesise({
    root: copy,
    outputDirectory: cloudAssembly,
    context: { 'aws:cdk:bundling-stacks': [] },
  });
  stacks = readTemplates(cloudAssembly);
}, 120_000);
afterAll(() => rm(copy, { recursive: true }));

describe('npm run new', () => {
  it('writes parts that the compiler takes', async () => {
    const configuration = {
      extends: './tsconfig.json',
      include: [],
      files: [
        'lambda-workers/cold-storage/handler.ts',
        'services/orders/main.ts',
        'test/lambda-workers/cold-storage/worker.test.ts',
        'test/services/orders/app.test.ts',
        'lib/config/stages/load-test.ts',
      ],
    };
    await writeFile(at('tsconfig.parts.json'), JSON.stringify(configuration));
    await inCopy(['node_modules/typescript/bin/tsc', '--project', 'tsconfig.parts.json']);
  });

  it('writes a worker with its queues, a service with its tasks, both with alarms and widgets, and a stage with every stack', () => {
    for (const stage of ['load-test', 'production']) {
      const own = stacks.filter((stack) => stack.stage === stage);
      const names = resourcesOf(own, 'AWS::SQS::Queue').map(
        ({ Properties }) => Properties.QueueName,
      );
      expect(names).toContain(`headroom-${stage}-cold-storage`);
      expect(names).toContain(`headroom-${stage}-cold-storage-dead-letter`);
      const alarms = resourcesOf(own, 'AWS::CloudWatch::Alarm').map(({ logicalId }) => logicalId);
      expect(alarms.filter((id) => id.startsWith('Workercoldstorage'))).toHaveLength(5);
      expect(alarms.filter((id) => id.startsWith('Serviceorders')).length).toBeGreaterThan(0);
      expect(resourcesOf(own, 'AWS::ECS::Service')).toHaveLength(services.length + 1);
      const [dashboards] = own.filter(({ part }) => part === 'observability');
      expect(dashboards?.text).toContain('cold-storage');
      expect(dashboards?.text).toContain('orders');
      expect(own).toHaveLength(stacks.length / 2);
    }
  });

  it('writes what the suites of the lists expect', async () => {
    const provided = { system: inject('system'), cloudAssembly };
    await inCopy(
      [
        'node_modules/vitest/vitest.mjs',
        'run',
        '--config',
        'test/bin/new/vitest.config.ts',
        ...suites,
      ],
      { PROVIDED: JSON.stringify(provided) },
    );
  }, 120_000);

  it.each([
    [workerKind, 'Cold', 'is no name for a worker. It takes at most 30 lower-case letters'],
    [workerKind, 'email', 'The name "email" is taken'],
    [workerKind, 'database', 'The name "database" is taken'],
    [serviceKind, 'contracts', 'The name "contracts" is taken'],
    [stageKind, 'a-name-of-21-characters', 'is no name for a stage. It takes at most 20'],
    [stageKind, 'dev', 'The name "dev" is taken'],
  ])('refuses the name $1, and writes nothing', async (kind, name, message) => {
    await expect(writeScaffold(kind, name)).rejects.toThrow(message);
  });

  it('overwrites no file', async () => {
    const kind = { ...workerKind, taken: () => [] };
    const list = await readFile(join(repositoryRoot, 'lib/config/workers.ts'), 'utf8');
    await expect(writeScaffold(kind, 'email')).rejects.toThrow(
      'lambda-workers/email/handler.ts, lambda-workers/email/worker.ts, test/lambda-workers/email/worker.test.ts are there already',
    );
    expect(await readFile(join(repositoryRoot, 'lib/config/workers.ts'), 'utf8')).toBe(list);
  });
});
