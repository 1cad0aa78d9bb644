import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { folders } from './folders.ts';
import { type MutationReport, scoreOf, scoreTable, survivorsOf } from './report.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const mutant = (status: string, line: number, replacement = 'false') => ({
  mutatorName: 'ConditionalExpression',
  replacement,
  status,
  location: { start: { line, column: 5 } },
});
const report: MutationReport = {
  files: {
    'lib/one.ts': {
      source: 'if (a) {\n  b();\n}',
      mutants: [
        mutant('Survived', 2, '{\n\n}'),
        mutant('NoCoverage', 1),
        mutant('Killed', 1),
        mutant('Timeout', 1),
        mutant('Ignored', 3),
        mutant('RuntimeError', 3),
      ],
    },
  },
};

describe('mutation testing', () => {
  it.each(
    Object.entries(folders).flatMap(([name, { mutate, tests }]) =>
      [...mutate, ...tests].map((pattern) => [name, pattern] as const),
    ),
  )('of %s, with %s, names files that exist', (_name, pattern) => {
    expect(globSync(pattern.replace(/^!/, ''), { cwd: root })).not.toEqual([]);
  });

  it('of a folder, when scored, counts what was noticed in percent of what can be', () => {
    expect(scoreOf(report)).toEqual({
      noticed: 2,
      survived: 1,
      notCovered: 1,
      ignored: 2,
      percent: 50,
    });
    expect(scoreOf({ files: {} }).percent).toBeNull();
  });

  it('of a folder, when listed, has the line of each survivor and what stood there instead', () => {
    expect(survivorsOf(report)).toEqual([
      'lib/one.ts:1:5 ConditionalExpression, not covered: if (a) { → false',
      'lib/one.ts:2:5 ConditionalExpression: b(); → { }',
    ]);
  });

  it('of several folders, when printed, tells those that were not measured', () => {
    const table = scoreTable(
      new Map([
        ['one', scoreOf(report)],
        ['two', null],
      ]),
    );
    expect(table).toMatch(/^one +50\.0 % +2 +1 +1 +2$/m);
    expect(table).toMatch(/^two +not measured$/m);
  });
});
