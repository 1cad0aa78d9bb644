import type { PlanTable } from './tables.ts';

const cellText = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** A table of a Markdown page, without its title. */
export function tableMarkdown(table: PlanTable): string {
  const numeric = new Set(table.numeric);
  const row = (cells: readonly string[]): string => `| ${cells.map(cellText).join(' | ')} |`;
  return [
    ...(table.introduction === undefined ? [] : [table.introduction, '']),
    row(table.columns),
    `|${table.columns.map((_, index) => (numeric.has(index) ? '---:' : '---')).join('|')}|`,
    ...table.rows.map(row),
  ].join('\n');
}

/** Something that a reader opens if they want it. */
export function folded(summary: string, content: string): string {
  return `<details>\n<summary>${summary}</summary>\n\n${content}\n\n</details>`;
}
