import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { readableTemplate } from './support/readable.ts';
import { readTemplates } from './support/templates.ts';

const directory = join(import.meta.dirname, 'snapshots');
const stacks = readTemplates(inject('cloudAssembly'));
const fileOf = (stage: string, part: string) => join(stage, `${part}.yaml`);

describe('templates', () => {
  it.each(stacks)('$name, when synthesised, is as reviewed', async (stack) => {
    const file = join(directory, fileOf(stack.stage, stack.part));
    await expect(readableTemplate(stack.template)).toMatchFileSnapshot(file);
  });

  it('the reviewed templates, compared with the stacks, are of stacks that exist', () => {
    const files = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const expected = stacks.map(({ stage, part }) => join(directory, fileOf(stage, part)));
    // Those of a new stack are written by its own test.
    expect(files.filter((file) => !expected.includes(file))).toEqual([]);
  });
});
