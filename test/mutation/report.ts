import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { plainTable } from '../../lib/capacity/plan/text.ts';

/** Percent of the mutants of each folder that the suites notice. */
export const TARGET_SCORE = 85;

const position = z.object({ line: z.number(), column: z.number() });
/** What is read here of https://github.com/stryker-mutator/mutation-testing-elements, schema 2. */
const report = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.string(),
      mutants: z.array(
        z.object({
          mutatorName: z.string(),
          replacement: z.string().optional(),
          status: z.string(),
          location: z.object({ start: position }),
        }),
      ),
    }),
  ),
});
export type MutationReport = z.output<typeof report>;

export interface Score {
  readonly noticed: number;
  readonly survived: number;
  /** Reached by no test of the folder. */
  readonly notCovered: number;
  /** Out of the count: run only while a module loads, or not valid code. */
  readonly ignored: number;
  /** Percent; null without mutants. */
  readonly percent: number | null;
}

/** The report in `file`; null when there is none. */
export function readReport(file: string): MutationReport | null {
  return existsSync(file) ? report.parse(JSON.parse(readFileSync(file, 'utf8'))) : null;
}

export function scoreOf({ files }: MutationReport): Score {
  const statuses = Object.values(files).flatMap(({ mutants }) =>
    mutants.map(({ status }) => status),
  );
  const count = (...wanted: string[]) => statuses.filter((one) => wanted.includes(one)).length;
  const noticed = count('Killed', 'Timeout');
  const survived = count('Survived');
  const notCovered = count('NoCoverage');
  const valid = noticed + survived + notCovered;
  return {
    noticed,
    survived,
    notCovered,
    ignored: statuses.length - valid,
    percent: valid === 0 ? null : (100 * noticed) / valid,
  };
}

/** A line for each mutant that no test noticed: where it is, the line of code, and what stood there instead. */
export function survivorsOf({ files }: MutationReport): string[] {
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n');
    return mutants
      .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
      .sort((left, right) => left.location.start.line - right.location.start.line)
      .map(({ mutatorName, replacement = '', status, location: { start } }) => {
        const what = status === 'Survived' ? mutatorName : `${mutatorName}, not covered`;
        const code = lines[start.line - 1]?.trim() ?? '';
        return `${file}:${start.line}:${start.column} ${what}: ${code} → ${oneLine(replacement)}`;
      });
  });
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}

/** A line for each folder, and one above them. */
export function scoreTable(scores: ReadonlyMap<string, Score | null>): string {
  const rows = [...scores].map(([name, score]) =>
    score === null
      ? [name, 'not measured', '', '', '', '']
      : [
          name,
          score.percent === null ? '' : `${score.percent.toFixed(1)} %`,
          ...[score.noticed, score.survived, score.notCovered, score.ignored].map(String),
        ],
  );
  const columns = ['folder', 'score', 'noticed', 'survived', 'not covered', 'ignored'];
  return plainTable({ columns, rows, numeric: [1, 2, 3, 4, 5] });
}
