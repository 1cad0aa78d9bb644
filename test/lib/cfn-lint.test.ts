import { existsSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { describeWithout } from '../support/missing-program.ts';
import { stages } from './support/stages.ts';
import { repositoryRoot, runToEnd } from './support/synthesise.ts';
import { readTemplates } from './support/templates.ts';

/** The first that knows Aurora PostgreSQL 18.6; older ones take it for a mistake. */
const LEAST_VERSION = [1, 58, 0] as const;
const configuration = join(repositoryRoot, 'test/lib/cfn-lint.yaml');
const wrong = join(repositoryRoot, 'test/lib/support/wrong.template.json');
/** It reads some three dozen templates, a quarter of a minute of a core that nobody else uses. */
const TIMEOUT_MILLISECONDS = 300_000;

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

const findings = z.array(
  z.object({ Filename: z.string(), Rule: z.object({ Id: z.string() }), Message: z.string() }),
);

function lintTemplates(): void {
  const templates = readTemplates(inject('cloudAssembly'));
  const fileOf = (name: string) => `${name}.template.json`;
  /** What it finds in all of them, by the name of the file. */
  let found: ReadonlyMap<string, readonly string[]>;

  // One process for all of them, with the one that is wrong: each would read the specification of every resource again.
  beforeAll(async () => {
    const files = templates.map(({ name }) => join(inject('cloudAssembly'), fileOf(name)));
    const { output } = await run([
      ...['--config-file', configuration, '--format', 'json', '--', ...files, wrong],
    ]);
    const problems = findings.parse(JSON.parse(output)).map((finding) => ({
      file: basename(finding.Filename),
      text: `${finding.Rule.Id}: ${finding.Message}`,
    }));
    found = new Map(
      [...new Set(problems.map(({ file }) => file))].map((file) => [
        file,
        problems.filter((problem) => problem.file === file).map(({ text }) => text),
      ]),
    );
  }, TIMEOUT_MILLISECONDS);

  it('has templates of every stage before it', () => {
    expect(new Set(templates.map(({ stage }) => stage))).toEqual(
      new Set(stages.map(({ name }) => name)),
    );
  });

  it.for(templates)('on $name, finds nothing unexplained', ({ name }) => {
    expect(found.get(fileOf(name)) ?? []).toEqual([]);
  });

  it('on a template that is wrong, finds that', () => {
    expect(found.get(basename(wrong))).toContainEqual(expect.stringMatching(/^E3/));
  });
}

if (await isNewEnough()) describe('cfn-lint', lintTemplates);
else {
  const version = LEAST_VERSION.join('.');
  const reason = `it needs cfn-lint ${version} or newer on the PATH; to install it: python3 -m pip install "cfn-lint>=${version}"`;
  describeWithout('cfn-lint', reason, lintTemplates);
}
