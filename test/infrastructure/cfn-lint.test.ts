import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { stages } from './support/stages.ts';
import { repositoryRoot, runToEnd } from './support/synthesise.ts';
import { readTemplates } from './support/templates.ts';

/** The first that knows Aurora PostgreSQL 18.6; older ones take it for a mistake. */
const LEAST_VERSION = [1, 58, 0] as const;
const configuration = join(repositoryRoot, 'test/infrastructure/cfn-lint.yaml');

const program = (process.env.PATH ?? '')
  .split(delimiter)
  .map((directory) => join(directory, 'cfn-lint'))
  .find(existsSync);

const run = (programArguments: readonly string[]) =>
  runToEnd(program ?? '', programArguments, { cwd: repositoryRoot, env: process.env });

async function isNewEnough(): Promise<boolean> {
  if (program === undefined) return false;
  const { output } = await run(['--version']);
  const version = (/(\d+)\.(\d+)\.(\d+)/.exec(output) ?? []).slice(1).map(Number);
  const differs = LEAST_VERSION.findIndex((part, index) => part !== version[index]);
  return differs === -1 || (version[differs] ?? 0) > (LEAST_VERSION[differs] ?? 0);
}

const usable = await isNewEnough();
if (!usable) {
  const version = LEAST_VERSION.join('.');
  const message = `No cfn-lint from ${version} on is on the PATH, so no template is linted. Install it: python3 -m pip install "cfn-lint>=${version}"`;
  if (process.env.CI === 'true') throw new Error(message);
  console.warn(`\nSKIPPED: ${message}\n`);
}

describe.skipIf(!usable)('cfn-lint', () => {
  const templates = readTemplates(inject('cloudAssembly'));
  const fileOf = (name: string) => join(inject('cloudAssembly'), `${name}.template.json`);

  it.for(stages)('on every template of $name, finds nothing unexplained', async ({ name }) => {
    const files = templates
      .filter(({ stage }) => stage === name)
      .map((stack) => fileOf(stack.name));
    expect(files.length).toBeGreaterThan(0);
    const { code, output } = await run(['--config-file', configuration, '--', ...files]);
    expect(output).toBe('');
    expect(code).toBe(0);
  });

  it('on a template that is wrong, finds that', async () => {
    const { code, output } = await run([
      '--config-file',
      configuration,
      '--',
      join(repositoryRoot, 'test/infrastructure/support/wrong.template.json'),
    ]);
    expect(output).toContain('E3');
    expect(code).not.toBe(0);
  });
});
