import { type BenchmarkResults, disturbanceNote, verdictsOf } from '../results.ts';
import { number } from './format.ts';
import type { Plot } from './plots.ts';
import { figureLines, subjectHeadings, subjectRows, targetHeadings, targetRow } from './rows.ts';

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = `|${headings.map((_, column) => (column === 0 ? '---' : '---:')).join('|')}|`;
  return [line(headings), rule, ...rows.map(line)].join('\n');
}

/** The table without columns in which no row has anything. */
function filledTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const filled = headings.map((_, column) => rows.some((row) => row[column] !== '–'));
  const kept = (cells: readonly string[]) => cells.filter((_, column) => filled[column]);
  return table(kept(headings), rows.map(kept));
}

function machineLines({ machine, ...results }: BenchmarkResults): string[] {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `- ${machine.processor}, ${machine.cores} cores, ${machine.memoryGibibytes} GiB, ${machine.system}`,
    `- ${versions.join('; ')}`,
    `- Commit ${results.commit ?? 'unknown'}, ${results.startedAt.slice(0, 10)}; ${results.rounds} rounds of ${results.secondsPerRun} s after ${results.warmUpSeconds} s of warm-up; ${number(results.seconds / 60)} minutes in all`,
    ...(results.pinned
      ? []
      : ['- **Nothing was pinned to a core**, so these figures say little about each other']),
  ];
}

/**
 * The results as a part of a page.
 *
 * @param directory - where the plots are, from the page.
 */
export function markdownReport(
  results: BenchmarkResults,
  plots: readonly Plot[],
  directory: string,
): string {
  const targets = results.cases.flatMap((one) =>
    verdictsOf(one).map((verdict) => targetRow(one.title, verdict)),
  );
  const cases = results.cases.flatMap((one) => {
    const rows = subjectRows(one);
    if (rows.length === 0) return [];
    const figures = figureLines(one);
    return [
      `### ${one.title.charAt(0).toUpperCase()}${one.title.slice(1)}`,
      filledTable(subjectHeadings(one.operation), rows),
      ...(figures.length === 0 ? [] : [figures.map((line) => `- ${line}`).join('\n')]),
      ...(one.note === null ? [] : [one.note]),
    ];
  });
  const omissions = results.omissions.map(
    ({ case: name, subject, reason }) => `- ${name}: ${subject}: ${reason}`,
  );
  const disturbed = disturbanceNote(results);
  return [
    machineLines(results).join('\n'),
    ...(disturbed === null ? [] : [`> **${disturbed}**`]),
    ...(targets.length === 0 ? [] : ['### Targets', table(targetHeadings, targets)]),
    ...plots.map(({ file, description }) => `![${description}](${directory}${file})`),
    ...cases,
    ...(omissions.length === 0 ? [] : ['### Not measured', omissions.join('\n')]),
  ].join('\n\n');
}
