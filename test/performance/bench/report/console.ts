import { plainTable } from '../../../../lib/capacity/plan/text.ts';
import { type BenchmarkResults, disturbanceNote, verdictsOf } from '../results.ts';
import { figureLines, subjectHeadings, subjectRows, targetHeadings, targetRow } from './rows.ts';

/** A table in plain text, indented. */
export const table = (columns: readonly string[], rows: readonly (readonly string[])[]) =>
  plainTable({ columns, rows: rows.map((row) => row.map((cell) => cell.replaceAll('**', ''))) })
    .split('\n')
    .map((line) => `  ${line}\n`)
    .join('');

/** The results for a terminal. */
export function consoleReport(results: BenchmarkResults): string {
  const verdicts = results.cases.flatMap((one) =>
    verdictsOf(one).map((verdict) => targetRow(one.name, verdict)),
  );
  const parts = results.cases.map((one) => {
    const rows = subjectRows(one);
    return rows.length === 0
      ? ''
      : `\n${one.name}: ${one.title}\n${table(subjectHeadings(one.operation), rows)}${figureLines(
          one,
        )
          .map((line) => `  ${line}\n`)
          .join('')}`;
  });
  const targets =
    verdicts.length === 0
      ? ''
      : `\nTargets: median of the rounds (least–most)\n${table(targetHeadings, verdicts)}`;
  const omissions = results.omissions.map(
    ({ case: name, subject, reason }) => `  ${name}: ${subject}: ${reason}\n`,
  );
  const disturbed = disturbanceNote(results);
  return [
    ...parts,
    targets,
    omissions.length === 0 ? '' : `\nNot measured\n${omissions.join('')}`,
    disturbed === null ? '' : `\nNOTE: ${disturbed}\n`,
  ].join('');
}
