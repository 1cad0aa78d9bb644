import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readableTemplate } from './support/readable.ts';
import { repositoryRoot, synthesise } from './support/synthesise.ts';
import { readTemplates, type StackTemplate } from './support/templates.ts';

const inputs = [
  'bin',
  'docs/reference',
  'lib',
  'services',
  'lambda-workers',
  'cdk.json',
  'package.json',
];
const dockerInputs = ['package-lock.json', '.npmrc'];

function edit(file: string, change: (text: string) => string): void {
  const text = readFileSync(file, 'utf8');
  const changed = change(text);
  if (changed === text) throw new Error(`The edit of ${file} changes nothing.`);
  writeFileSync(file, changed);
}

/** A copy of the sources in which nothing differs but code that is bundled, and the Node.js that runs it. */
function copyWithOtherCode(root: string): void {
  for (const input of [...inputs, ...dockerInputs]) {
    cpSync(join(repositoryRoot, input), join(root, input), { recursive: true });
  }
  symlinkSync(join(repositoryRoot, 'node_modules'), join(root, 'node_modules'));
  const addCode = (text: string) => `${text}\nexport const addedByTest = Math.random();\n`;
  edit(join(root, 'lambda-workers/email/handler.ts'), addCode);
  edit(join(root, 'services/user-api/migrate.ts'), addCode);
  edit(join(root, 'services/user-api/main.ts'), addCode);
  edit(join(root, 'lib/constructs/functions/node-function.ts'), (text) =>
    text.replace('NODEJS_24_X', 'NODEJS_22_X'),
  );
}

describe('readable templates', () => {
  let root: string;
  let changed: readonly StackTemplate[];
  const original = readTemplates(inject('cloudAssembly')).filter(({ stage }) => stage === 'dev');

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'headroom-other-code-'));
    copyWithOtherCode(root);
    const outputDirectory = join(root, 'cdk.out');
    await synthesise({ root, outputDirectory, context: { stage: 'dev' } });
    changed = readTemplates(outputDirectory);
  });

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('of changed code on another Node.js, compared with those before, are the same', () => {
    expect(changed.map(({ name }) => name)).toEqual(original.map(({ name }) => name));
    for (const [index, stack] of changed.entries()) {
      const before = original[index];
      expect(readableTemplate(stack.template)).toBe(before && readableTemplate(before.template));
    }
  });

  it('of changed code on another Node.js, as CloudFormation gets them, differ where code is', () => {
    const differing = changed.filter((stack, index) => stack.text !== original[index]?.text);
    expect(differing.map(({ part }) => part)).toEqual(['api', 'migrations', 'workers']);
  });
});
